"""When is a conference one that nobody came to?"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from models import LegState, StartMode, Wanted
from scheduler.admission import Door
from scheduler.conference_rules import nobody_came
from scheduler.rules import LegView

NOW = datetime(2026, 11, 26, 10, 0, tzinfo=UTC)


def leg(**changes) -> LegView:
    return LegView(1, 2, Wanted.UP, LegState.IDLE, "sip:far@127.1.0.2", "K-10001/1", **changes)


ASKED = Door(1, 1, StartMode.PRESS, True, prompted_at=NOW)
LATE = NOW + timedelta(minutes=15)


def test_nobody_came_where_all_rooms_asked_in_vain_for_long_enough():
    other = replace(ASKED, party_id=2, studio_id=2)
    assert nobody_came([ASKED, other], [leg()], NOW, 15, LATE)
    assert not nobody_came([ASKED, other], [leg()], NOW, 15, LATE - timedelta(seconds=1))
    assert not nobody_came([ASKED, other], [leg()], NOW, 0, LATE)


@pytest.mark.parametrize(
    "other",
    [
        replace(ASKED, pressed_at=NOW),
        replace(ASKED, opened_at=NOW),
        replace(ASKED, prompted_at=None),
        replace(ASKED, cause="unreachable"),
        replace(ASKED, steered=False),
        replace(ASKED, mode=StartMode.MUTED),
    ],
)
def test_one_room_where_somebody_came_or_where_it_cannot_be_known_is_enough_to_wait(other):
    assert not nobody_came([ASKED, other], [leg()], NOW, 15, LATE)


@pytest.mark.parametrize("called", [{"attempts": 1}, {"connected_at": NOW}])
def test_what_was_called_once_is_no_matter_of_nobody(called):
    assert not nobody_came([ASKED], [leg(**called)], NOW, 15, LATE)
