"""What can be said of the wished meeting: who would sit where, what is in the way, and which other times there are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from models import Purpose
from studios.booking.candidates import Candidate, Own, Unfit
from studios.booking.finding.asked import asked_spans
from studios.booking.finding.question import NearMiss, Question, Suggestion, TooFew
from studios.booking.finding.search import find, openings
from studios.booking.finding.seats import Seating, seats_at
from studios.booking.finding.times import Posed, Wished, named, pose
from studios.booking.hours import first_instant
from studios.booking.ports import without_room
from studios.booking.rules import ports_needed
from studios.booking.wishes import PartyWish
from studios.calendars.rules import Span

LOOKS_AHEAD = timedelta(days=14)
SUGGESTIONS = 5
WORKING_DAYS = frozenset(range(5))
WHOLE_DAY = 24 * 60


@dataclass(frozen=True)
class Wish:
    """What is asked for, as far as it makes sense. `meeting`: the time that stands on the form; `preferred`: where
    suggestions shall be near; `hours` of the day, for other times; `shown`: the time that the page draws. `at`: what
    counts as now; `only_here`: no other times are looked for."""

    parties: Sequence[PartyWish]
    purpose: Purpose
    video: bool
    meeting: Span
    preferred: datetime
    hours: tuple[time, time]
    shown: Span
    at: datetime
    moved_id: int | None = None
    only_here: bool = False


@dataclass(frozen=True)
class Outlook:
    """`seating`: who would sit where; None where it cannot be, which `missed` or `too_few` explains, or `unfit`: for
    parties that ask for a studio which is not one for them, why."""

    posed: Posed
    seating: Seating | None
    missed: NearMiss | None
    too_few: TooFew | None
    suggestions: Sequence[Suggestion]

    @property
    def question(self) -> Question:
        return self.posed.question

    @property
    def studios(self) -> Mapping[int, Candidate]:
        return self.posed.studios

    @property
    def unfit(self) -> Mapping[int, tuple[Unfit, ...]]:
        return self.posed.unfit

    @property
    def rooms(self) -> tuple[int | None, ...]:
        """By party the studio that it would get; nothing is known where the meeting cannot be."""
        return self.seating.rooms if self.seating else (None,) * len(self.question.seats)

    def pool(self, party: int) -> list[Candidate]:
        """The studios that would do for a party."""
        return [self.studios[key] for key in self.question.seats[party].rooms or ()]

    def openings(self, within: Sequence[Span], length: timedelta) -> list[Span]:
        """The stretches in which a meeting of this length can lie anywhere, from now on."""
        return openings(replace(self.question, within=within, length=length))


def look_out(wish: Wish, known: Mapping[int, Candidate], own: Own, zone: ZoneInfo) -> Outlook:
    """Read what is taken around the meeting and in the two weeks after it, and ask for times. `known`: all studios."""
    within = [] if wish.only_here else _asked(wish, zone)
    read = Span(min(wish.shown.start, wish.meeting.start), max(wish.shown.end, wish.meeting.end))
    window = Span(min([read.start, *(span.start for span in within)]), max([read.end, *(span.end for span in within)]))
    barred = without_room(ports_needed(wish.parties, wish.video), window.start, window.end, wish.moved_id)
    wished = Wished(wish.meeting.length, within, wish.preferred, barred, SUGGESTIONS, read=read)
    posed = pose(wish.parties, wished, known, own=own, purpose=wish.purpose, but=wish.moved_id, now=wish.at)
    # What is wrong with the time itself is said at its field.
    anywhen = replace(posed.question, now=min(wish.at, wish.meeting.start), lead=timedelta(), latest=None)
    found = seats_at(anywhen, wish.meeting)
    missed = found if isinstance(found, NearMiss) else None
    return Outlook(
        posed=posed,
        seating=found if isinstance(found, Seating) else None,
        missed=named(missed, posed.closures) if missed else None,
        too_few=found if isinstance(found, TooFew) else None,
        suggestions=find(posed.question).suggestions,
    )


def _asked(wish: Wish, zone: ZoneInfo) -> list[Span]:
    """Working days, and the wished day of the week, from the wished day on and not before now."""
    day = wish.preferred.astimezone(zone).date()
    start = max(first_instant(day, 0, zone), wish.at)
    end = first_instant(day, 0, zone) + LOOKS_AHEAD
    return asked_spans(start, end, wish.hours, WORKING_DAYS | {day.weekday()}, zone) if start < end else []


def day_span(day: date, zone: ZoneInfo) -> Span:
    """From midnight to midnight of the wall clock."""
    return Span(first_instant(day, 0, zone), first_instant(day, WHOLE_DAY, zone))
