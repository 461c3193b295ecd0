"""`studionett demo`."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import click
from flask.cli import with_appcontext

from config import settings
from demonstration import days, inventory, people
from demonstration.measured import write_measurements
from errors import Conflict
from models import write
from progress import ReportProgress, progress_bar
from studios.inventory.commands import counts


@click.command("demo")
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same studios and conferences.")
@click.option("--day", is_flag=True, help="Also a working day around now, and the year before it.")
@click.option("--only", type=click.Choice(["day", "year"]), help="One part of --day: the day itself, or the year.")
@click.option("--if-empty", is_flag=True, help="Where other studios are, do nothing instead of refusing.")
@click.option("--accounts", is_flag=True, help="Only show the accounts to sign in with.")
@with_appcontext
def demo(seed: int, day: bool, only: str | None, if_empty: bool, accounts: bool) -> None:
    """Fill an empty database with 900 invented studios at real Norwegian places; a second time changes nothing.

    With --day there are a year of past conferences too, written once, and a working day around now, which is planned
    anew when nothing of it begins within the next two hours.
    """
    if accounts:
        click.echo("\n".join(people.lines()))
        return
    if if_empty and not settings().demo:
        click.echo("STUDIONETT_DEMO is off; nothing was written.")
        return
    if if_empty and inventory.holds_other_studios():
        click.echo("The database holds other studios than the demonstration's; nothing was written.")
        return
    try:
        inventory.refuse_other_studios()
        click.echo(_install_studios(seed))
    except Conflict as conflict:
        raise click.ClickException(conflict.message) from None
    if added := write(people.keep_accounts):
        click.echo(f"Demonstration accounts: {added} added; studionett demo --accounts shows them all.")
    if day and only != "day":
        click.echo(_write_year(seed))
    if day and only != "year":
        click.echo(_write_day(seed))


def _install_studios(seed: int) -> str:
    if inventory.is_installed():
        return "Demonstration inventory: there already."
    sites, rows = inventory.plan(seed)
    now = datetime.now(UTC)
    with progress_bar("Writing the demonstration inventory") as progress:
        outcome = write(lambda: inventory.install(sites, rows, now, progress))
    return f"Demonstration inventory: {len(sites)} sites, {counts(outcome)}."


def _write_year(seed: int) -> str:
    with _progress("Writing the year before today") as progress:
        written = days.write_year(seed, datetime.now(UTC), progress)
    write_measurements(seed, datetime.now(UTC))
    return f"Days before today: {written} written with their usage." if written else "Days before today: there already."


def _write_day(seed: int) -> str:
    """The last of all: what it shows begins within two minutes of now."""
    found = days.write_day(seed, datetime.now(UTC))
    if found is None:
        return "Working day around now: there already."
    return f"Working day around now: {found.conferences} conferences, {found.over} of them over."


@contextmanager
def _progress(title: str) -> Iterator[ReportProgress]:
    """A bar at a terminal; a line each tenth where the output goes elsewhere."""
    if sys.stderr.isatty():
        with progress_bar(title) as bar:
            yield bar
        return
    told = 0

    def tell(done: int, total: int) -> None:
        nonlocal told
        if (tenth := 10 * done // max(total, 1)) > told:
            told = tenth
            click.echo(f"{title}: {10 * told} %")

    yield tell
