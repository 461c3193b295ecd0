"""`studionett scheduler`."""

import gc
import signal
from datetime import timedelta
from threading import Event
from typing import cast

import click
from flask import Flask, current_app

from config import ConfigurationError, settings
from devices.pexip import PexipClient
from devices.tls import verification
from devices.xapi import XapiClient
from scheduler.clock import Clock
from scheduler.equipment import Equipment
from scheduler.jobs import Jobs
from scheduler.queries import due_within


@click.command("scheduler")
def scheduler() -> None:
    """Start and stop the calls until stopped. Any number of schedulers share the work."""
    app = cast(Flask, current_app._get_current_object())  # type: ignore[attr-defined]
    try:
        verify = verification(settings())
    except ConfigurationError as error:
        raise click.ClickException(str(error)) from None
    due_within(timedelta())  # a database that is away or has no tables ends it here, with a sentence
    equipment = Equipment(XapiClient(verify=verify), PexipClient(verify=verify), settings().dials_at_once)
    clock = Clock(settings().dials_at_once)
    jobs = Jobs(app, clock, equipment, app.extensions["repeated"])
    jobs.hand_over()
    jobs.heartbeat()
    stop = Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    # Looking through what stays for good takes over a tenth of a second each time, and every call waits for it.
    gc.collect()
    gc.freeze()
    clock.start(jobs.after_step)
    click.echo(f"{jobs.worker} minds the calls, {settings().dials_at_once} conferences at once.")
    stop.wait()
    clock.stop()
    equipment.close()
    jobs.fall_silent()
    click.echo(f"{jobs.worker} has stopped.")
