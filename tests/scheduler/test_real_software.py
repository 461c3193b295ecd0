"""Conferences between real SIP software, dialled by the reconciler; the driver shows how little a new one needs."""

import re
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from models import Conference, ConferenceState, Endpoint, StartMode, Studio, db
from scheduler.drivers.interface import Station
from scheduler.rules import LiveCall
from tests import factories
from tests.baresip import Baresip, baresip, needs_baresip
from tests.scheduler.test_calls import is_in, passes_until, set_end
from tests.simulation.fleets import own_address

pytestmark = needs_baresip
# Fifty a second flow each way.
A_SECOND = 50


@dataclass(frozen=True)
class BaresipDriver:
    """One call at a time, which is enough for two."""

    phone: Baresip

    def session(self) -> AbstractContextManager[None]:
        return nullcontext()

    def open(self) -> None:
        """Takes and places calls as it is."""

    def status(self) -> list[LiveCall]:
        told = self.phone.tell("callstat")
        found = re.search(r"Call debug \((\w+)\).*?peer_uri:\s+<([^>]+)>.*? id=(\w+)", told, re.DOTALL)
        if found is None:
            return []
        return [LiveCall(found[3], "Connected" if found[1] == "ESTABLISHED" else "Dialling", found[2])]

    def dial(self, address: str, token: str) -> str:
        self.phone.tell("dial", address)
        (call,) = self.status()
        return call.call_id

    def hang_up(self, call_id: str) -> None:
        if any(call.call_id == call_id for call in self.status()):
            self.phone.tell("hangup")

    def ending(self, call_id: str) -> str:
        return ""

    def close(self) -> None:
        """Nothing was made ready."""


@pytest.fixture
def phones(tmp_path: Path) -> Iterator[list[Baresip]]:
    with baresip(tmp_path / "one", own_address()) as one, baresip(tmp_path / "two", own_address()) as two:
        yield [one, two]


@pytest.fixture
def conference(app, phones) -> Conference:
    rows: list[Studio] = []
    for phone in phones:
        rows.append(factories.studio(start_mode=StartMode.OPEN))
        factories.endpoint(rows[-1], phone.address, dial_address=phone.uri)
    made = factories.conference(*rows, start=datetime.now(UTC))
    db.session.rollback()
    return made


@pytest.fixture
def with_baresip(equipment, phones, monkeypatch):
    def studio(endpoint: Endpoint, studio_id: int) -> Station:
        phone = next(phone for phone in phones if phone.uri == endpoint.dial_address)
        return Station(studio_id, phone.uri, BaresipDriver(phone))

    monkeypatch.setattr(equipment, "studio", studio)
    return equipment


def test_a_conference_starts_sound_flows_both_ways_and_it_ends(conference, phones, with_baresip):
    passes_until(conference, with_baresip, is_in(ConferenceState.RUNNING, conference))
    before = [phone.packets_heard() for phone in phones]
    time.sleep(1)
    heard = [phone.packets_heard() - count for phone, count in zip(phones, before, strict=True)]
    assert all(A_SECOND / 2 < count < A_SECOND * 3 for count in heard), heard
    set_end(conference, datetime.now(UTC))
    passes_until(conference, with_baresip, is_in(ConferenceState.ENDED, conference))
    for phone in phones:
        phone.wait_for_calls("line", 0)


def test_who_hangs_up_by_a_fault_is_called_again(conference, phones, with_baresip):
    passes_until(conference, with_baresip, is_in(ConferenceState.RUNNING, conference))
    phones[1].tell("hangup")
    phones[0].wait_for_calls("line", 0)
    set_end(conference, conference.ends_at)  # look now
    passes_until(conference, with_baresip, is_in(ConferenceState.DEGRADED, conference))
    passes_until(conference, with_baresip, is_in(ConferenceState.RUNNING, conference), seconds=15)
    for phone in phones:
        phone.wait_for_calls("ESTABLISHED", 1)
