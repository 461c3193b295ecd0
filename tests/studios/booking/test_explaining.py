"""Whatever can be in the way has a sentence."""

from datetime import UTC, datetime

import pytest

from studios.booking.explaining import blocker_sentence, obstacle_sentence, remark_sentence, worry_sentence
from studios.booking.finding.question import Blocker, Remark, Why
from studios.booking.obstacles import Kind, Obstacle
from studios.booking.refusals import PROBLEMS
from studios.booking.rules import Problem
from studios.booking.worries import Worry
from studios.calendars.rules import Span

START, END = datetime(2026, 11, 26, 9, 0, tzinfo=UTC), datetime(2026, 11, 26, 10, 0, tzinfo=UTC)


@pytest.fixture
def dialect() -> str:
    return "sqlite"


def sentences():
    yield from (obstacle_sentence(Obstacle(kind, (0,), "TRO-1", START, END, reason="Paint")) for kind in Kind)
    yield from (blocker_sentence(Blocker(why, 1, Span(START, END)), "TRO-1", START, False) for why in Why)
    yield from (remark_sentence(remark, "TRO-1") for remark in Remark)
    yield from (worry_sentence(worry, "TRO-1") for worry in Worry)


def test_everything_is_told_in_a_whole_sentence(app):
    with app.test_request_context(headers={"Accept-Language": "en"}):
        for sentence in sentences():
            assert sentence.endswith(".")
            assert "%(" not in sentence
    assert set(PROBLEMS) == set(Problem)
