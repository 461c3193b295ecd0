"""When bridges are full: spans against counting minute by minute."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from models import Bridge, BridgeDriver, db
from studios.booking.ports import without_room
from studios.booking.rules import shared, spans_above
from studios.calendars.rules import Span
from tests import factories

START = datetime(2026, 11, 26, 8, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LENGTH = 30

taken = st.lists(
    st.tuples(st.integers(-10, LENGTH + 5), st.integers(1, 15), st.integers(0, 5)).map(
        lambda each: (START + each[0] * MINUTE, START + (each[0] + each[1]) * MINUTE, each[2])
    ),
    max_size=8,
)


def minutes_of(spans):
    return [minute for minute in range(LENGTH) if any(_holds(span, START + minute * MINUTE) for span in spans)]


def _holds(span, instant):
    return span.start <= instant < span.end


@given(taken, st.integers(-1, 12))
def test_spans_above_are_the_minutes_in_which_more_is_taken(taken, most):
    found = spans_above(taken, most, Span(START, START + LENGTH * MINUTE))
    counted = [
        minute
        for minute in range(LENGTH)
        if sum(ports for begins, ends, ports in taken if begins <= START + minute * MINUTE < ends) > most
    ]
    assert minutes_of(found) == counted
    assert all(one.end < other.start for one, other in pairwise(found))


@given(taken, taken, st.integers(0, 5))
def test_what_is_shared_is_what_both_have(one, other, most):
    within = Span(START, START + LENGTH * MINUTE)
    first, second = spans_above(one, most, within), spans_above(other, most, within)
    assert minutes_of(shared(first, second)) == sorted(set(minutes_of(first)) & set(minutes_of(second)))


def test_time_is_barred_only_while_no_bridge_has_room(app):
    hour = timedelta(hours=1)
    north, south = (
        Bridge(name=name, driver=BridgeDriver.PEXIP, address="https://bridge", ports=4) for name in ("N", "S")
    )
    db.session.add_all([north, south])
    db.session.commit()
    assert without_room(3, START, START + 9 * hour) == []
    moved = _on(north, START, START + 3 * hour)
    _on(south, START + 2 * hour, START + 4 * hour)
    assert without_room(3, START, START + 9 * hour) == [Span(START + 2 * hour, START + 3 * hour)]
    assert without_room(2, START, START + 9 * hour) == []
    assert without_room(3, START, START + 9 * hour, but=moved.id) == []
    assert without_room(5, START, START + hour) == [Span(START, START + hour)]
    assert without_room(0, START, START + hour) == []


def _on(bridge, start, end):
    return factories.conference(factories.studio(), start=start, end=end, bridge_id=bridge.id, ports=2)
