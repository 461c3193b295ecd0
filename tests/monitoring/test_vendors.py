"""Equipment of each vendor, played by simulated studios, watched by SNMP alone."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from flask import Flask

from models import EndpointStatus, Health, db
from monitoring.rules import Cause
from simulation.fleet import Fleet
from simulation.studio import Fault, Kind
from tests import factories
from tests.monitoring.running import until, watching
from tests.simulation.fleets import a_studio

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"])


@contextmanager
def played(kind: Kind) -> Iterator[tuple[int, Callable[[Fault], None]]]:
    """The endpoint's key, and a way to let it suffer."""
    spec = a_studio("V1", kind=kind, http_port=None)
    fleet, loop = Fleet([spec]), asyncio.new_event_loop()
    loop.run_until_complete(fleet.start())
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    key = factories.endpoint(factories.studio(), spec.address, control_driver=None, control_url=None).id
    try:
        yield key, lambda fault: loop.call_soon_threadsafe(fleet.studios["V1"].suffer, fault)  # type: ignore[misc]
    finally:
        asyncio.run_coroutine_threadsafe(fleet.stop(), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


def is_now(key: int, health: Health, cause: Cause) -> bool:
    status = db.session.get_one(EndpointStatus, key)
    return (status.health, status.cause) == (health, cause)


@pytest.mark.parametrize(
    ("kind", "fault", "cause"),
    [
        (Kind.CISCO_CTS, Fault.CAMERA_UNPLUGGED, Cause.CAMERA),
        (Kind.CISCO_CTS, Fault.MICROPHONE_UNPLUGGED, Cause.MICROPHONE),
        (Kind.POLY_GROUP, Fault.CAMERA_UNPLUGGED, Cause.CAMERA),
        (Kind.POLY_GROUP, Fault.UNREGISTERED, Cause.UNREGISTERED),
    ],
)
def test_what_is_missing_is_seen_by_snmp_alone(app: Flask, kind: Kind, fault: Fault, cause: Cause) -> None:
    with played(kind) as (key, suffer), watching(app):
        until(lambda: is_now(key, Health.OK, Cause.NONE) and db.session.get_one(EndpointStatus, key).peripherals)
        suffer(fault)
        until(lambda: is_now(key, Health.DEGRADED, cause))
        suffer(Fault.CLEAR)
        until(lambda: is_now(key, Health.OK, Cause.NONE))


@pytest.mark.parametrize("kind", [Kind.POLY_GROUP, Kind.CISCO_CTS])
def test_a_call_is_seen_by_snmp_alone(app: Flask, kind: Kind) -> None:
    with played(kind) as (key, suffer), watching(app):
        until(lambda: db.session.get_one(EndpointStatus, key).peripherals)
        suffer(Fault.BUSY)
        until(lambda: db.session.get_one(EndpointStatus, key).in_call)
        until(lambda: db.session.get_one(EndpointStatus, key).jitter_ms == 2)
        suffer(Fault.CLEAR)
        until(lambda: not db.session.get_one(EndpointStatus, key).in_call)


@pytest.mark.parametrize("kind", [Kind.CISCO_ROOM, Kind.POLY_HDX])
def test_what_has_nothing_to_tell_of_its_peripherals_is_well(app: Flask, kind: Kind) -> None:
    with played(kind) as (key, _suffer), watching(app):
        until(lambda: is_now(key, Health.OK, Cause.NONE) and db.session.get_one(EndpointStatus, key).uptime_seconds)
