"""`studionett monitor`."""

import asyncio
import signal
from datetime import timedelta
from typing import cast

import click
from flask import Flask, current_app

from config import ConfigurationError, Settings, settings
from devices.tls import verification
from devices.xapi import XapiClient
from monitoring import vendor_profiles
from monitoring.cadence import Cadence
from monitoring.monitor import Monitor
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
