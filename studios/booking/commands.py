"""`studionett studio` and `studionett bridge`: on which terms studios are booked, and the ports there are."""

from collections.abc import Callable
from typing import Any, TypeVar

import click
from flask.cli import AppGroup

from errors import Refused
from models import Bridge, StartMode, db, write
from studios.booking.terms import hours_given, retire_bridge, set_bridge, set_terms

studio = AppGroup("studio", help="On which terms a studio can be booked.")
bridge = AppGroup("bridge", help="Conference bridges and their ports.")

T = TypeVar("T")


@studio.command("terms")
@click.argument("code")
@click.option("--hours", help="Such as “mon-fri 08:00-15:30; sat 10:00-14:00”, or “always”.")
@click.option("--setup", "setup_minutes", type=int, help="Minutes that the room is held before a conference.")
@click.option("--clear-down", "clear_down_minutes", type=int, help="Minutes that it is held afterwards.")
@click.option("--shared/--private", default=None, help="Whether other organisations may book it.")
@click.option("--approval/--no-approval", "needs_approval", default=None, help="Whether its owner is asked first.")
@click.option("--clinical/--not-clinical", default=None, help="Whether it is suited for patients' matters.")
@click.option(
    "--start-mode",
    type=click.Choice([str(mode) for mode in StartMode]),
    callback=lambda context, option, value: StartMode(value) if value else None,
    help="Whether calls come up muted, wait for a press in the room, or come up open.",
)
def terms(code: str, hours: str | None, **changes: Any) -> None:
    """Set on which terms the studio CODE is booked; what is not named stays."""
    wanted = {name: value for name, value in changes.items() if value is not None}

    def work() -> str:
        named = wanted if hours is None else {**wanted, "bookable_hours": hours_given(hours)}
        return set_terms(code, **named).code

    click.echo(f"Set the terms of {_done(work)}.")


@bridge.command("set")
@click.argument("name")
@click.argument("address")
@click.option("--ports", type=int, required=True, help="How many parties it takes at once.")
@click.option("--domain", default="", help="What follows the @ of its rooms' addresses.")
@click.option("--region", default="", help="The health region that it is for first.")
@click.option("--location", default="", help="The bridge's own name of the place that it is to dial from.")
@click.option("--credential", default="", help="The name of the credential that steers it.")
def set_(name: str, address: str, ports: int, domain: str, region: str, location: str, credential: str) -> None:
    """Add a bridge, or change the one of this name."""
    _done(lambda: set_bridge(name, address, ports, domain, region, location, credential).id)
    click.echo(f"The bridge {name} has {ports} ports.")


@bridge.command("retire")
@click.argument("name")
def retire(name: str) -> None:
    """Give out no more ports of a bridge."""
    _done(lambda: retire_bridge(name).id)
    click.echo(f"The bridge {name} is retired.")


@bridge.command("list")
def list_() -> None:
    """Names, ports and regions."""
    for row in db.session.scalars(db.select(Bridge).order_by(Bridge.name)):
        state = "retired" if row.retired_at else row.health_region or "all regions"
        click.echo(f"{row.name}\t{row.ports} ports\t{state}\t{row.address}")


def _done(work: Callable[[], T]) -> T:
    try:
        return write(work)
    except Refused as error:
        raise click.ClickException(error.message) from None
