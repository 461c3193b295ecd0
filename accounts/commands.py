"""`studionett user ...` and `studionett token ...`."""

import sys
from datetime import UTC, datetime, timedelta

import click
from flask.cli import AppGroup

from accounts.people import add_account
from accounts.queries import account_by_email, all_accounts, tokens_of
from accounts.rules import Scope, token_state
from accounts.tokens import create_token, revoke
from errors import Refused
from models import Account, ApiToken, Organisation, Role, db, write

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


token = AppGroup("token", help="Keys with which programs act for a person.")


@token.command("create")
@click.argument("email")
@click.option("--name", default="command line", help="What it is for; shown in the list of tokens.")
@click.option("--scope", "scopes", multiple=True, type=click.Choice([scope.value for scope in Scope]), help="[read]")
@click.option("--days", default=90, show_default=True, help="How long it lasts.")
def create(email: str, name: str, scopes: tuple[str, ...], days: int) -> None:
    """Make a token for the account and print its secret, which is shown this once."""
    asked = [Scope(scope) for scope in scopes or (Scope.READ,)]

    def made() -> tuple[int, datetime, str]:
        row, secret = create_token(_account(email), name, asked, _days(days))
        return row.id, row.expires_at, secret

    try:
        number, until, secret = write(made)
    except Refused as refused:
        raise click.ClickException(refused.message) from None
    click.echo(secret)
    click.echo(
        f"Token {number} of {email} lasts until {until:%Y-%m-%d}. Keep it secret; it is not shown again.", err=True
    )


@token.command("list")
@click.argument("email")
def list_tokens(email: str) -> None:
    """List the account's tokens, newest first: number, state, scopes, last day, last use, name."""
    now = datetime.now(UTC)
    for row in tokens_of(_account(email)):
        used = f"used {row.last_used_at:%Y-%m-%d %H:%M} UTC" if row.last_used_at else "never used"
        state = token_state(row.expires_at, row.revoked_at, now)
        click.echo(f"{row.id}\t{state}\t{','.join(row.scopes)}\tuntil {row.expires_at:%Y-%m-%d}\t{used}\t{row.name}")


@token.command("revoke")
@click.argument("number", metavar="ID", type=click.IntRange(1, 2**31 - 1))
def revoke_token(number: int) -> None:
    """End a token at once; ID is its number in the list."""

    def ended() -> str:
        found = db.session.get(ApiToken, number)
        if found is None:
            raise click.ClickException(f"There is no token with the number {number}.")
        revoke(found)
        return found.name

    click.echo(f"Token {number}, {write(ended)}, counts no more.")


def _account(email: str) -> Account:
    found = account_by_email(email)
    if found is None:
        raise click.ClickException(f"There is no account for {email}.")
    return found


def _days(days: int) -> timedelta:
    """Within what a timedelta holds; how long a token may last is not decided here."""
    return timedelta(days=max(-1, min(days, 100_000)))
