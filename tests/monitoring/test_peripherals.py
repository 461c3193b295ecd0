"""A camera is unplugged in a simulated studio, and the monitor finds it; and plugged in again."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from devices.xapi import CodecStatus, Peripherals
from models import Endpoint, EndpointStatus, Health, SnmpVersion, StatusChange, Worker, db, write
from monitoring import leases
from monitoring.leases import Terms
from monitoring.roster import Secrets, roster, watched_from
from monitoring.rules import Cause, Patience
from monitoring.snmp.engine import Outcome, Reading
from simulation.fleet import Fleet
from simulation.studio import Fault, SimulatedStudio, Timings
from tests import factories
from tests.monitoring.running import until, watching
from tests.simulation.fleets import a_studio

ALL_WELL = {"cameras": {"1": True}, "microphones": {"1": True}}
NO_CAMERA = {"cameras": {"1": False}, "microphones": {"1": True}}
MINUTE = timedelta(minutes=1)
# For rules that the choice of database can't touch.
on_sqlite = pytest.mark.parametrize("dialect", ["sqlite"])


class Trial:
    """One studio of a fleet that runs in a thread, and its endpoint in the tables."""

    def __init__(self, loop: asyncio.AbstractEventLoop, studio: SimulatedStudio) -> None:
        self._loop, self._studio = loop, studio
        spec = studio.spec
        credential = factories.credential("codec", spec.username, spec.password)
        self.key = factories.endpoint(
            factories.studio(code=spec.code), spec.address, control_credential_id=credential.id
        ).id

    def suffer(self, fault: Fault) -> None:
        self._do(lambda: self._studio.suffer(fault))

    def cut_line(self, cut: bool) -> None:
        self._do(lambda: self._studio.cut_line(cut))

    def change_password(self) -> None:
        self._do(lambda: setattr(self._studio, "spec", replace(self._studio.spec, password="another")))

    def talk(self, fault: Fault) -> None:
        """A call of somebody who never hangs up, with a fault or without."""
        if not self._studio.calls:
            self._do(lambda: self._studio.suffer(Fault.BUSY))
        self._do(lambda: setattr(self._studio, "fault", fault))

    def hang_up(self) -> None:
        self._do(lambda: [self._studio.hang_up(call_id) for call_id in list(self._studio.calls)])

    def _do(self, change: Callable[[], None]) -> None:
        done = threading.Event()
        self._loop.call_soon_threadsafe(lambda: (change(), done.set()))
        assert done.wait(5)

    @property
    def status(self) -> EndpointStatus:
        return db.session.get_one(EndpointStatus, self.key)

    def is_now(self, health: Health, cause: Cause, peripherals: object) -> bool:
        found = self.status
        return (found.health, found.cause, found.peripherals) == (health, cause, peripherals)

    def changes(self) -> list[tuple[Health, str]]:
        rows = db.session.scalars(db.select(StatusChange).order_by(StatusChange.id))
        return [(row.to_health, row.cause) for row in rows]


@pytest.fixture
def trial(app: Flask) -> Iterator[Trial]:
    spec = a_studio("UNN01")
    fleet, loop = Fleet([spec], timings=Timings()), asyncio.new_event_loop()
    loop.run_until_complete(fleet.start())
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield Trial(loop, fleet.studios[spec.code])
    finally:
        asyncio.run_coroutine_threadsafe(fleet.stop(), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


def test_a_camera_is_unplugged_and_plugged_in_again(app: Flask, trial: Trial) -> None:
    with watching(app):
        until(lambda: trial.is_now(Health.OK, Cause.NONE, ALL_WELL))
        trial.suffer(Fault.CAMERA_UNPLUGGED)
        until(lambda: trial.is_now(Health.DEGRADED, Cause.CAMERA, NO_CAMERA))
        trial.suffer(Fault.CLEAR)
        until(lambda: trial.is_now(Health.OK, Cause.NONE, ALL_WELL))
    assert trial.changes() == [(Health.OK, ""), (Health.DEGRADED, "camera"), (Health.OK, "")]


@on_sqlite
def test_a_microphone_is_unplugged_and_plugged_in_again(app: Flask, trial: Trial) -> None:
    with watching(app):
        trial.suffer(Fault.MICROPHONE_UNPLUGGED)
        until(lambda: trial.is_now(Health.DEGRADED, Cause.MICROPHONE, {**ALL_WELL, "microphones": {"1": False}}))
        trial.suffer(Fault.CLEAR)
        until(lambda: trial.is_now(Health.OK, Cause.NONE, ALL_WELL))


@on_sqlite
def test_a_studio_that_its_server_does_not_know_is_degraded(app: Flask, trial: Trial) -> None:
    with watching(app):
        until(lambda: trial.status.registered)
        trial.suffer(Fault.UNREGISTERED)
        until(lambda: trial.is_now(Health.DEGRADED, Cause.UNREGISTERED, ALL_WELL))
        assert trial.status.registered is False
        trial.suffer(Fault.CLEAR)
        until(lambda: trial.is_now(Health.OK, Cause.NONE, ALL_WELL))


@on_sqlite
def test_a_call_that_loses_too_much_is_degraded_while_it_lasts(app: Flask, trial: Trial) -> None:
    with watching(app):
        trial.talk(Fault.CLEAR)
        until(lambda: trial.status.in_call and trial.status.loss_percent == 0)
        trial.talk(Fault.LOSSY)
        until(lambda: trial.is_now(Health.DEGRADED, Cause.LOSS, ALL_WELL))
        assert (trial.status.loss_percent, trial.status.jitter_ms) == (12, 90)
        trial.hang_up()
        until(lambda: trial.is_now(Health.OK, Cause.NONE, ALL_WELL))
        assert trial.status.loss_percent is None


def test_of_a_studio_that_cannot_be_reached_nobody_knows_what_is_plugged_in(app: Flask, trial: Trial) -> None:
    trial.suffer(Fault.CAMERA_UNPLUGGED)
    with watching(app):
        until(lambda: trial.is_now(Health.DEGRADED, Cause.CAMERA, NO_CAMERA))
        trial.cut_line(True)
        until(lambda: trial.is_now(Health.DOWN, Cause.NO_ANSWER, None))
        is_null = EndpointStatus.peripherals.is_(None)
        assert db.session.scalar(db.select(EndpointStatus.endpoint_id).where(is_null)) == trial.key
        trial.suffer(Fault.CLEAR)
        trial.cut_line(False)
        until(lambda: trial.is_now(Health.OK, Cause.NONE, ALL_WELL))
    # Where it was degraded before the outage is no reason to find it so again without asking.
    assert trial.changes()[-2:] == [(Health.DOWN, "no-answer"), (Health.OK, "")]


@on_sqlite
def test_of_a_codec_that_refuses_us_nobody_knows_what_is_plugged_in(app: Flask, trial: Trial) -> None:
    trial.suffer(Fault.CAMERA_UNPLUGGED)
    with watching(app):
        until(lambda: trial.is_now(Health.DEGRADED, Cause.CAMERA, NO_CAMERA))
        trial.change_password()
        until(lambda: trial.is_now(Health.DEGRADED, Cause.CONTROL_REFUSED, None))


@on_sqlite
def test_of_a_studio_that_is_unknown_nothing_is_said_of_what_is_plugged_in(app: Flask, trial: Trial) -> None:
    write(lambda: db.session.execute(db.update(Endpoint).values(snmp_version=SnmpVersion.V3)))
    trial.suffer(Fault.CAMERA_UNPLUGGED)
    with watching(app):
        until(lambda: trial.status.calls_seen_at)
        until(lambda: trial.is_now(Health.UNKNOWN, Cause.SNMP_CREDENTIAL, None))


@on_sqlite
def test_a_monitor_that_starts_again_finds_the_camera_missing_still(app: Flask, trial: Trial) -> None:
    trial.suffer(Fault.CAMERA_UNPLUGGED)
    with watching(app):
        until(lambda: trial.is_now(Health.DEGRADED, Cause.CAMERA, NO_CAMERA))
    before, restarted = trial.changes(), datetime.now(UTC)
    with watching(app):
        reads = Worker.details["call_reads"].as_integer() > 0
        until(lambda: db.session.scalar(db.select(Worker.name).where(reads, Worker.started_at > restarted)))
        assert trial.is_now(Health.DEGRADED, Cause.CAMERA, NO_CAMERA)
    assert trial.changes() == before


@on_sqlite
def test_a_codec_that_left_the_inventory_takes_its_faults_along(app: Flask, trial: Trial) -> None:
    trial.suffer(Fault.CAMERA_UNPLUGGED)
    with watching(app):
        until(lambda: trial.is_now(Health.DEGRADED, Cause.CAMERA, NO_CAMERA))
        write(lambda: db.session.execute(db.update(Endpoint).values(control_driver=None, control_url=None)))
        until(lambda: trial.is_now(Health.OK, Cause.NONE, None))


@on_sqlite
def test_a_clock_that_was_set_back_puts_off_no_look_at_what_is_plugged_in(app: Flask) -> None:
    factories.endpoint(factories.studio())
    write(lambda: leases.claim("me", Terms()))
    seen_at = datetime.now(UTC)
    [listed] = roster("me", Secrets(), seen_at).listed
    watched = watched_from(listed, seen_at, Patience())
    watched.heard(Reading(watched.equipment.endpoint_id, Outcome.ANSWERED, seen_at), asked_at=seen_at)
    watched.saw(CodecStatus([], Peripherals({"1": True})), asked_at=seen_at, now=seen_at)
    wanted = {ago: watched.wants_peripherals(seen_at + timedelta(seconds=ago), MINUTE) for ago in (-3600, 0, 59, 60)}
    assert wanted == {-3600: True, 0: False, 59: False, 60: True}
