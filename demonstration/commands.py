"""`studionett demo`."""

from datetime import UTC, datetime

import click
from flask.cli import with_appcontext

from demonstration import inventory, people
from errors import Conflict
from models import write
from progress import progress_bar
from studios.inventory.commands import counts


@click.command("demo")
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same studios.")
@click.option("--if-empty", is_flag=True, help="Where other studios are, do nothing instead of refusing.")
@click.option("--accounts", is_flag=True, help="Only show the accounts to sign in with.")
@with_appcontext
def demo(seed: int, if_empty: bool, accounts: bool) -> None:
    """Fill an empty database with 900 invented studios at real Norwegian places; a second time changes nothing."""
    if accounts:
        click.echo("\n".join(people.lines()))
        return
    if if_empty and inventory.holds_other_studios():
        click.echo("The database holds other studios than the demonstration's; nothing was written.")
        return
    try:
        inventory.refuse_other_studios()
        click.echo(_install_studios(seed))
    except Conflict as conflict:
        raise click.ClickException(conflict.message) from None
    added = write(people.keep_accounts)
    click.echo(f"Demonstration accounts: {added} added; studionett demo --accounts shows them all.")


def _install_studios(seed: int) -> str:
    if inventory.is_installed():
        return "Demonstration inventory: there already."
    sites, rows = inventory.plan(seed)
    now = datetime.now(UTC)
    with progress_bar("Writing the demonstration inventory") as progress:
        outcome = write(lambda: inventory.install(sites, rows, now, progress))
    return f"Demonstration inventory: {len(sites)} sites, {counts(outcome)}."
