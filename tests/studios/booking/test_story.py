from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask

from models import Account, Event, Studio
from studios.booking.story import KINDS, tell

MEETING = datetime(2026, 11, 26, 9, 15, tzinfo=UTC)


@pytest.fixture(autouse=True)
def english(app: Flask) -> object:
    with app.test_request_context(headers={"Cookie": "language=en"}):
        yield


def event(kind: str, at: datetime = MEETING, studio: str = "", person: str = "", **details: Any) -> Event:
    return Event(
        id=1,
        at=at,
        kind=kind,
        studio=Studio(name=studio) if studio else None,
        account=Account(name=person) if person else None,
        details=details,
    )


def told(*events: Event, names: bool = True) -> list[tuple[str, str]]:
    return [(line.what, line.more) for chapter in tell(events, MEETING, names) for line in chapter.lines]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_told_without_details_and_with_ones_that_make_no_sense(kind: str) -> None:
    [(what, more)] = told(event(kind))
    assert what
    assert "%(" not in what + more
    [(what, more)] = told(event(kind, studio="Bodø 100 %", attempt="many", cause=7, next_attempt="soon", changes={}))
    assert "%(" not in what + more


def test_an_unknown_kind_speaks_for_itself() -> None:
    assert told(event("leg.beamed")) == [("leg.beamed", "")]


def test_a_failed_call_is_told_with_its_attempt_cause_and_next_attempt() -> None:
    failed = event("leg.failed", studio="Bodø", attempt=3, cause="busy", next_attempt="2026-11-26T09:16:05+00:00")
    sentence = "Attempt 3. The equipment is busy with another call. Next attempt 10:16:05"
    assert told(failed) == [("Bodø was not reached", sentence)]


def test_a_cause_without_words_of_ours_is_told_as_it_is() -> None:
    assert told(event("leg.dropped", studio="Bodø", cause="flux")) == [("Bodø dropped out of the call", "flux")]


def test_a_change_is_told_by_what_it_moved_added_and_removed() -> None:
    changes = {
        "start": ["2026-11-26T08:00:00+00:00", "2026-11-26T09:15:00+00:00"],
        "end": ["2026-11-26T09:00:00+00:00", "2026-11-26T10:15:00+00:00"],
        "studios": [["A", "B"], ["B", "C"]],
    }
    [(what, more)] = told(event("conference.changed", person="Kari", changes=changes))
    assert what == "Changed"
    moved = "Start moved from Thursday 26 November 09:00 to Thursday 26 November 10:15"
    assert more == f"Kari. {moved}. Added C. Removed A"


def test_people_are_named_only_to_those_around_the_table() -> None:
    booked = event("conference.booked", person="Kari", studios=3)
    assert told(booked) == [("Booked", "Kari. 3 studios")]
    assert told(booked, names=False) == [("Booked", "3 studios")]


def test_events_stand_in_their_order_under_headings_of_their_part_and_day() -> None:
    chapters = tell(
        [
            event("leg.connected", studio="Bodø"),
            event("conference.starting"),
            event("conference.changed", at=datetime(2026, 11, 24, 12, tzinfo=UTC)),
            event("conference.booked", at=datetime(2026, 11, 24, 11, tzinfo=UTC)),
        ],
        MEETING,
        names=True,
    )
    assert [(chapter.heading, len(chapter.lines)) for chapter in chapters] == [
        ("Calls", 2),
        ("Booking, Tuesday 24 November", 2),
    ]
