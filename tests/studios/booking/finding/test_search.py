"""The search against trying everything, on small random questions."""

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from studios.booking.finding import search
from studios.booking.finding.matching import cheapest
from studios.booking.finding.question import Question, Room, Seat, TooFew
from studios.booking.finding.search import find
from studios.calendars.rules import Span
from tests.studios.booking.finding import oracle

OSLO = ZoneInfo("Europe/Oslo")
# An ordinary day's midnight here, and the nights when the clock moves forward and back.
ORIGINS = [oracle.utc(text) for text in ("2026-11-25 22:00", "2026-03-29 00:00", "2026-10-24 23:00")]
SITES = {1: (69.65, 18.96), 2: (67.28, 14.40), 3: (59.91, 10.75)}
EVERYTHING = 10_000


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


_buffers = st.sampled_from([0, 0, 5, 7, 15]).map(minutes)


@st.composite
def _spans(draw: st.DrawFn, origin: datetime, most: int) -> list[Span]:
    """Some stretches of the four hours after the origin, at odd minutes and seconds."""
    odd = st.integers(0, 240) | st.floats(0, 240).map(lambda number: round(number, 1))
    lengths = st.integers(1, 90)
    return [
        Span(origin + minutes(begin), origin + minutes(begin + length))
        for begin, length in draw(st.lists(st.tuples(odd, lengths), max_size=most))
    ]


@st.composite
def _rooms(draw: st.DrawFn, origin: datetime, room_id: int) -> Room:
    site = draw(st.sampled_from(list(SITES)))
    taken, closed = draw(_spans(origin, 3)), draw(_spans(origin, 1))
    return Room(
        room_id,
        capacity=draw(st.integers(1, 12)),
        setup=draw(_buffers),
        clear_down=draw(_buffers),
        site_id=site,
        latitude=SITES[site][0],
        longitude=SITES[site][1],
        quality_ok=draw(st.booleans()),
        is_down=draw(st.booleans()),
        reserved=[(span.start, span.end, key) for key, span in enumerate(taken)],
        closures=[(span.start, span.end, key) for key, span in enumerate(closed)],
        shut=draw(_spans(origin, 1)),
    )


@st.composite
def _within(draw: st.DrawFn, origin: datetime) -> list[Span]:
    """One to three stretches, in order and apart."""
    marks = sorted(draw(st.lists(st.integers(0, 240), min_size=2, max_size=6, unique=True)))
    pairs = zip(marks[::2], marks[1::2], strict=False)
    return [Span(origin + minutes(begin), origin + minutes(end)) for begin, end in pairs]


@st.composite
def questions(draw: st.DrawFn) -> Question:
    origin = draw(st.sampled_from(ORIGINS))
    rooms = {key: draw(_rooms(origin, key)) for key in range(1, draw(st.integers(1, 5)) + 1)}
    pools = st.lists(st.sampled_from(sorted(rooms)), min_size=1, max_size=5, unique=True).map(tuple)
    seats = st.builds(Seat, st.none() | pools | pools, st.integers(1, 8))
    return Question(
        seats=draw(st.lists(seats, min_size=1, max_size=4)),
        rooms=rooms,
        length=minutes(draw(st.sampled_from([5, 20, 30, 40, 60, 27]))),
        within=draw(_within(origin)),
        now=origin + minutes(draw(st.integers(-120, 120))),
        zone=OSLO,
        preferred=draw(st.none() | st.integers(-30, 270).map(lambda number: origin + minutes(number))),
        lead=minutes(draw(st.sampled_from([0, 0, 10]))),
        latest=draw(st.none() | st.integers(0, 300).map(lambda number: origin + minutes(number))),
        barred=draw(_spans(origin, 1)),
        limit=draw(st.integers(1, 6)),
    )


@given(questions())
@settings(max_examples=150, deadline=None)
def test_every_start_at_which_it_works_is_found_and_no_other(question):
    exact = {start for start in oracle.starts(question.within, question.length) if _works(question, start)}
    found = find(replace(question, limit=EVERYTHING)).suggestions
    assert {each.start for each in found if not each.shifted and not each.shortened} == exact


@given(questions())
@settings(max_examples=150, deadline=None)
def test_the_suggestions_are_the_best_ranked_starts_shifted_or_shortened_only_when_nothing_fits(question):
    found = find(question).suggestions
    assert [(each.start, each.end - each.start) for each in found] == oracle.answer(question)
    for each in found:
        assert each.shortened == question.length - (each.end - each.start)
        assert bool(each.shifted) != any(span.start <= each.start and each.end <= span.end for span in question.within)
        assert abs(each.shifted) <= minutes(20)


@given(questions())
@settings(max_examples=150, deadline=None)
def test_each_suggestion_seats_the_parties_in_different_free_studios_as_well_as_can_be(question):
    for each in find(question).suggestions:
        possible = list(oracle.tables(question, each.start, each.end - each.start))
        assert each.rooms in possible
        costs = [oracle.cost(question, table, each.start) for table in possible]
        assert oracle.cost(question, each.rooms, each.start) == min(costs)


@given(questions())
@settings(max_examples=150, deadline=None)
def test_what_is_in_the_way_is_said_exactly_when_the_preferred_start_does_not_work(question):
    answer = find(question)
    if answer.too_few:
        assert _no_time_works_even_if_all_were_free(question)
        return
    if question.preferred is None:
        assert bool(answer.missed) != any(not each.shifted and not each.shortened for each in answer.suggestions)
        return
    sound = [
        table
        for table in oracle.tables(question, question.preferred, question.length)
        if not oracle.needs_down(question, table, question.preferred)
    ]
    end = question.preferred + question.length
    asked_for = any(span.start <= question.preferred and end <= span.end for span in question.within)
    is_suggested = any(
        each.start == question.preferred and not each.shortened and not each.shifted for each in answer.suggestions
    )
    assert bool(answer.missed) == (not is_suggested and not (sound and asked_for))


def test_parties_that_never_get_different_studios_are_not_tried_at_every_start(monkeypatch):
    taken = [(ORIGINS[0], ORIGINS[0] + timedelta(days=14), 1)]
    rooms = {1: Room(1), 2: Room(2, reserved=taken), 3: Room(3, reserved=taken)}
    within = [Span(ORIGINS[0], ORIGINS[0] + timedelta(days=14))]
    tries = []

    def counted(candidates):
        tries.append(candidates)
        return cheapest(candidates)

    monkeypatch.setattr(search, "cheapest", counted)
    asked = Question([Seat((1, 2)), Seat((1, 3))], rooms, minutes(60), within, ORIGINS[0], OSLO)
    assert find(asked).missed.too_few == TooFew((0, 1), (1,))
    assert 1 < len(tries) < 20


def _works(question: Question, start: datetime) -> bool:
    return any(True for _ in oracle.tables(question, start, question.length))


def _no_time_works_even_if_all_were_free(question: Question) -> bool:
    empty = {key: Room(key) for key in question.rooms}
    unhindered = replace(question, rooms=empty, barred=(), latest=None, now=ORIGINS[1] - minutes(10_000))
    return not _works(unhindered, ORIGINS[0])
