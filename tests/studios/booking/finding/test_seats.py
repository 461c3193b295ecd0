"""Who sits where at one given time, and the stretches in which everybody can, against trying everything."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from studios.booking.finding.question import NearMiss, TooFew
from studios.booking.finding.search import openings
from studios.booking.finding.seats import Seating, seats_at
from studios.calendars.rules import Span
from tests.studios.booking.finding import oracle
from tests.studios.booking.finding.test_search import minutes, questions


@given(questions(), st.floats(-60, 300).map(lambda number: round(number, 1)))
@settings(max_examples=100, deadline=None)
def test_a_time_has_the_best_table_exactly_when_there_is_one_wherever_it_lies(question, after):
    """To the second, outside the asked hours too, and whatever is out of order now."""
    start = question.within[0].start + minutes(after) if question.within else question.now
    start = max(start, question.now + question.lead)
    anywhen = replace(question, latest=None)
    found = seats_at(anywhen, Span(start, start + question.length))
    barred = any(span.overlaps(Span(start, start + question.length)) for span in question.barred)
    possible = [] if barred else list(oracle.tables(anywhen, start, question.length))
    assert isinstance(found, Seating) == bool(possible)
    if isinstance(found, Seating):
        assert found.rooms in possible
        costs = [oracle.cost(question, table, start) for table in possible]
        assert oracle.cost(question, found.rooms, start) == min(costs)
    else:
        assert isinstance(found, NearMiss | TooFew)


@given(questions())
@settings(max_examples=100, deadline=None)
def test_the_openings_hold_every_start_that_works_and_none_at_which_a_party_has_no_studio(question):
    found = openings(question)
    inside = {
        span.start + step * timedelta(minutes=5)
        for span in found
        for step in range((span.length - question.length) // timedelta(minutes=5) + 1)
    }
    for start in oracle.starts(question.within, question.length):
        if _allowed(question, start) and any(oracle.tables(question, start, question.length)):
            assert start in inside
    for start in inside:
        assert _allowed(question, start)
        for seat in question.seats:
            rooms = seat.rooms or ()
            assert seat.rooms is None or any(
                oracle.is_free(question.rooms[room], start, question.length) for room in rooms
            )


def _allowed(question, start) -> bool:
    meeting = Span(start, start + question.length)
    soon_enough = question.latest is None or start <= question.latest
    free_ports = not any(span.overlaps(meeting) for span in question.barred)
    return start >= question.now + question.lead and soon_enough and free_ports
