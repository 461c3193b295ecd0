"""`studionett user ...`."""

import sys

import click
from flask.cli import AppGroup

from accounts.people import add_account
from accounts.queries import all_accounts
from errors import Refused
from models import Organisation, Role, db, write

user = AppGroup("user", help="The people who sign in.")


@user.command("add")
@click.argument("email")
@click.option("--role", required=True, type=click.Choice([role.value for role in Role]))
@click.option("--organisation", "organisation_name", help="By name; without it the role reaches all organisations.")
@click.option("--name", default="", help="The person's name, as pages show it.")
def add(email: str, role: str, organisation_name: str | None, name: str) -> None:
    """Add an account; its password is read from standard input."""
    password = _password_from_input()
    try:
        write(lambda: add_account(email, name, password, [(Role(role), _organisation(organisation_name))]).id)
    except Refused as refused:
        raise click.ClickException(refused.message) from None
    click.echo(f"Added {email} as {role} of {organisation_name or 'all organisations'}.")


@user.command("list")
def list_accounts() -> None:
    """List accounts and what they hold."""
    for account in all_accounts():
        held = ", ".join(
            f"{grant.role} of {grant.organisation.name if grant.organisation else 'all'}" for grant in account.grants
        )
        click.echo(f"{account.email}\t{held or 'no role'}")


def _password_from_input() -> str:
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\r\n")


def _organisation(name: str | None) -> Organisation | None:
    if name is None:
        return None
    found = db.session.scalar(db.select(Organisation).where(Organisation.name == name))
    if found is None:
        raise click.ClickException(f"There is no organisation named {name}.")
    return found
