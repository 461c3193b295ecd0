"""`studionett monitor` and `studionett on-call ...`."""

import asyncio
import signal
from datetime import UTC, datetime, timedelta
from typing import cast
from zoneinfo import ZoneInfo

import click
from flask import Flask, current_app
from flask.cli import AppGroup

from config import ConfigurationError, Settings, settings
from devices.tls import verification
from devices.xapi import XapiClient
from errors import Refused
from models import OnCall, db, write
from monitoring import vendor_profiles
from monitoring.cadence import Cadence
from monitoring.monitor import Monitor
from monitoring.on_call import put_on_call, take_off_call
from monitoring.rules import Patience
from monitoring.snmp.choice import EngineMissing, engine_named
from monitoring.snmp.engine import SnmpEngine


@click.command("monitor")
def monitor() -> None:
    """Poll the studios' equipment until stopped. Any number of monitors share the work."""
    app = cast(Flask, current_app._get_current_object())  # type: ignore[attr-defined]
    found = settings()
    try:
        verify = verification(found)
        engine = engine_named(found.snmp_engine)
        vendor_profiles.check(found.profiles)
    except (ConfigurationError, EngineMissing) as error:
        raise click.ClickException(str(error)) from None
    with XapiClient(verify=verify) as xapi:
        asyncio.run(_run(app, found, engine, xapi))


async def _run(app: Flask, found: Settings, engine: type[SnmpEngine], xapi: XapiClient) -> None:
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    patience = Patience(stale=timedelta(seconds=found.stale_after))
    traps_at = (found.trap_host, found.trap_port)
    running = Monitor(
        app, engine, xapi, cadence=cadence_of(found), patience=patience, traps_at=traps_at, profiles=found.profiles
    )
    click.echo(
        f"{running.worker} watches with {engine.name}: a sign of life every {found.alive_interval:g} s, "
        f"all objects every {found.poll_interval:g} s, calls every {found.calls_interval:g} s."
    )
    await running.run(stop)
    click.echo(f"{running.worker} has stopped.")


def cadence_of(found: Settings) -> Cadence:
    return Cadence(
        full=found.poll_interval,
        alive=min(found.alive_interval, found.poll_interval),
        calls=found.calls_interval,
        calls_busy=min(found.calls_interval_busy, found.calls_interval),
    )


on_call = AppGroup("on-call", help="Who is told of incidents, and when the next one is.")


@on_call.command("add")
@click.argument("who")
@click.option("--level", type=int, default=1, show_default=True, help="1 at once, 2 when nobody has taken it, ...")
@click.option("--region", default="", help="Only of this health region.")
@click.option("--from", "starts_at", type=click.DateTime(), help="Wall time; now without it.")
@click.option("--until", "ends_at", type=click.DateTime(), help="Wall time; for good without it.")
@click.option("--credential", default="", help="For a web address: the credential whose secret signs what is posted.")
def add(
    who: str, level: int, region: str, starts_at: datetime | None, ends_at: datetime | None, credential: str
) -> None:
    """Put WHO on call: the address of an account, or the web address of a program."""
    start = _instant(starts_at) or datetime.now(UTC)
    try:
        number = write(lambda: put_on_call(who, level, start, _instant(ends_at), region, credential).id)
    except Refused as refused:
        raise click.ClickException(refused.message) from None
    click.echo(f"On call under the number {number}: {who}, level {level}.")


@on_call.command("list")
def list_on_call() -> None:
    """Who is on call, or will be."""
    rows = db.session.scalars(db.select(OnCall).order_by(OnCall.level, OnCall.starts_at, OnCall.id))
    for row in rows:
        who = row.account.email if row.account else row.url
        until = f"{row.ends_at:%Y-%m-%d %H:%M}Z" if row.ends_at else "for good"
        place = row.health_region or "all regions"
        click.echo(f"{row.id}\tlevel {row.level}\t{who}\t{place}\t{row.starts_at:%Y-%m-%d %H:%M}Z\t{until}")


@on_call.command("remove")
@click.argument("number", type=int)
def remove(number: int) -> None:
    """Take the entry NUMBER off the list."""
    try:
        write(lambda: take_off_call(number).id)
    except Refused as refused:
        raise click.ClickException(refused.message) from None
    click.echo(f"Number {number} is off call.")


def _instant(wall: datetime | None) -> datetime | None:
    return wall.replace(tzinfo=ZoneInfo(settings().zone)).astimezone(UTC) if wall else None
