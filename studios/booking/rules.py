"""What makes a booking acceptable: pure decisions on plain values and `now`."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import groupby
from zoneinfo import ZoneInfo

from models.booking import ConferenceState
from studios.booking.identity import holds_identity_number
from studios.booking.wishes import Booking, GuestWish, PartyWish, StudioWish, studio_ids
from studios.calendars.rules import Span

LONGEST_TITLE = 80
LONGEST_REASON = 200
FEWEST_PARTIES = 2
MOST_PARTIES = 50
# RFC 3261 and RFC 3508 addresses in their plain forms, and international numbers (E.164).
_VIDEO_ADDRESS = re.compile(r"(?:sips?|h323):[A-Za-z0-9._~+-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,188}[A-Za-z0-9])?")
_TELEPHONE = re.compile(r"\+[1-9][0-9]{6,14}")
# A start is typed in whole minutes: the minute that has just begun is still "now".
# How long before its start the scheduler first looks at a conference.
LOOK_AHEAD = timedelta(minutes=5)
START_GRACE = timedelta(seconds=60)


class Problem(StrEnum):
    """Why a request is refused, whatever the studios are doing."""

    TITLE_MISSING = "title_missing"
    TITLE_TOO_LONG = "title_too_long"
    TITLE_UNPRINTABLE = "title_unprintable"
    TITLE_HOLDS_IDENTITY_NUMBER = "title_holds_identity_number"
    REASON_MISSING = "reason_missing"
    REASON_TOO_LONG = "reason_too_long"
    REASON_UNPRINTABLE = "reason_unprintable"
    REASON_HOLDS_IDENTITY_NUMBER = "reason_holds_identity_number"
    TOO_FEW_PARTIES = "too_few_parties"
    TOO_MANY_PARTIES = "too_many_parties"
    STUDIO_TWICE = "studio_twice"
    GUEST_TWICE = "guest_twice"
    GUEST_ADDRESS = "guest_address"
    GUEST_WITHOUT_VIDEO = "guest_without_video"
    NO_STUDIO = "no_studio"
    END_BEFORE_START = "end_before_start"
    START_IN_THE_PAST = "start_in_the_past"
    END_IN_THE_PAST = "end_in_the_past"
    TOO_SOON = "too_soon"
    TOO_LONG = "too_long"
    TOO_FAR_AHEAD = "too_far_ahead"
    TIME_DOES_NOT_EXIST = "time_does_not_exist"
    START_IS_FIXED = "start_is_fixed"
    STUDIOS_ARE_FIXED = "studios_are_fixed"
    VIDEO_IS_FIXED = "video_is_fixed"


class Phase(StrEnum):
    """What people can do with a conference: change it, end it, or only read it."""

    PLANNED = "planned"
    UNDER_WAY = "under_way"
    OVER = "over"


class TimeDoesNotExist(Exception):
    """The clock is moved forward over this time."""


class TimeIsAmbiguous(Exception):
    """The clock is moved back over this time: it comes twice."""


@dataclass(frozen=True)
class Limits:
    longest: timedelta
    horizon: timedelta
    lead: timedelta = timedelta()


def instant(day: date, wall: time, zone: ZoneInfo, summer: bool | None = None) -> datetime:
    """The UTC instant of a wall-clock time in `zone`.

    Raises TimeDoesNotExist where the clock jumps over it, and TimeIsAmbiguous where it comes twice and `summer` does
    not say which of the two is meant.
    """
    first = datetime.combine(day, wall, zone)
    second = first.replace(fold=1)
    if first.utcoffset() == second.utcoffset():
        return first.astimezone(UTC)
    if first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != first.replace(tzinfo=None):
        raise TimeDoesNotExist
    if summer is None:
        raise TimeIsAmbiguous
    return (first if summer else second).astimezone(UTC)


def end_of(start: datetime, minutes: int) -> datetime:
    """A duration is real time: an hour over the night when the clock moves is sixty minutes."""
    return start + timedelta(minutes=minutes)


def phase(state: ConferenceState, video: bool, starts_at: datetime, ends_at: datetime, now: datetime) -> Phase:
    """Of a conference with video the calls decide; time that is marked without it begins and ends by the clock."""
    if state in (ConferenceState.ENDED, ConferenceState.FAILED, ConferenceState.CANCELLED):
        return Phase.OVER
    if state is not ConferenceState.PLANNED:
        return Phase.UNDER_WAY
    if video or now < starts_at:
        return Phase.PLANNED
    return Phase.UNDER_WAY if now < ends_at else Phase.OVER


def clean_title(title: str) -> str:
    """The title with runs of white space folded to one space."""
    return " ".join(title.split())


def problems(booking: Booking, now: datetime, limits: Limits) -> list[Problem]:
    """Everything that is wrong with a new conference or one that has not started."""
    return (
        title_problems(booking.title)
        + party_problems(booking.parties, booking.video)
        + time_problems(booking.start, booking.end, now, limits)
    )


def time_problems(start: datetime, end: datetime, now: datetime, limits: Limits) -> list[Problem]:
    found = []
    if end <= start:
        found.append(Problem.END_BEFORE_START)
    elif end - start > limits.longest:
        found.append(Problem.TOO_LONG)
    if start < now - START_GRACE:
        found.append(Problem.START_IN_THE_PAST)
    elif limits.lead and start < now + limits.lead:
        found.append(Problem.TOO_SOON)
    if start > now + limits.horizon:
        found.append(Problem.TOO_FAR_AHEAD)
    return found


def problems_while_running(
    booking: Booking, start: datetime, present: Sequence[int], now: datetime, limits: Limits
) -> list[Problem]:
    """What is wrong with a change to a conference whose calls are up: only its title and its end can move."""
    found = title_problems(booking.title)
    if booking.start != start:
        found.append(Problem.START_IS_FIXED)
    if studio_ids(booking.parties) != list(present):
        found.append(Problem.STUDIOS_ARE_FIXED)
    if booking.end <= now:
        found.append(Problem.END_IN_THE_PAST)
    elif booking.end - start > limits.longest:
        found.append(Problem.TOO_LONG)
    return found


def blocked_time(
    start: datetime, end: datetime, setup_minutes: int, clear_down_minutes: int
) -> tuple[datetime, datetime]:
    """The studio's time that a conference takes: its own, and the buffers around it."""
    return start - timedelta(minutes=setup_minutes), end + timedelta(minutes=clear_down_minutes)


def host_position(can_be_steered: Iterable[bool]) -> int | None:
    """Who dials and mixes: the first party whose codec we steer; None when there is none."""
    return next((position for position, steered in enumerate(can_be_steered) if steered), None)


def title_problems(title: str) -> list[Problem]:
    if not clean_title(title):
        return [Problem.TITLE_MISSING]
    if len(clean_title(title)) > LONGEST_TITLE:
        return [Problem.TITLE_TOO_LONG]
    if not is_printable(title):
        return [Problem.TITLE_UNPRINTABLE]
    return [Problem.TITLE_HOLDS_IDENTITY_NUMBER] if holds_identity_number(title) else []


def reason_problems(reason: str) -> list[Problem]:
    """What is wrong with the reason that somebody gives for a decision."""
    if not reason.strip():
        return [Problem.REASON_MISSING]
    if len(" ".join(reason.split())) > LONGEST_REASON:
        return [Problem.REASON_TOO_LONG]
    if not is_printable(reason):
        return [Problem.REASON_UNPRINTABLE]
    return [Problem.REASON_HOLDS_IDENTITY_NUMBER] if holds_identity_number(reason) else []


def is_printable(text: str) -> bool:
    """Whether people can see every character, and every database keep it; line ends and tabs are white space."""
    return not any(
        unicodedata.category(character) in ("Cc", "Cs", "Co", "Cn") for character in text if not character.isspace()
    )


def party_problems(parties: Sequence[PartyWish], video: bool = True) -> list[Problem]:
    """What is wrong with who shall sit there; one studio alone can only be marked as used, without video."""
    if len(parties) < (FEWEST_PARTIES if video else 1):
        return [Problem.TOO_FEW_PARTIES]
    if len(parties) > MOST_PARTIES:
        return [Problem.TOO_MANY_PARTIES]
    guests = [party.address for party in parties if isinstance(party, GuestWish)]
    return _studio_problems(parties) + _guest_problems(guests, video)


def _studio_problems(parties: Sequence[PartyWish]) -> list[Problem]:
    named = [party.studio_id for party in parties if isinstance(party, StudioWish)]
    if len(set(named)) < len(named):
        return [Problem.STUDIO_TWICE]
    return [Problem.NO_STUDIO] if all(isinstance(party, GuestWish) for party in parties) else []


def _guest_problems(guests: Sequence[str], video: bool) -> list[Problem]:
    if guests and not video:
        return [Problem.GUEST_WITHOUT_VIDEO]
    if not all(is_guest_address(address) for address in guests):
        return [Problem.GUEST_ADDRESS]
    return [Problem.GUEST_TWICE] if len({address.casefold() for address in guests}) < len(guests) else []


def is_guest_address(address: str) -> bool:
    """Whether a codec or a bridge can call it: a video address with its scheme, or a telephone number with its +."""
    return len(address) <= 255 and bool(_VIDEO_ADDRESS.fullmatch(address) or _TELEPHONE.fullmatch(address))


def ports_needed(parties: Sequence[PartyWish], video: bool) -> int:
    """Bridge ports: one a party, but none for two studios, which call each other."""
    guests = any(isinstance(party, GuestWish) for party in parties)
    return len(parties) if video and (guests or len(parties) > 2) else 0


def first_look(start: datetime) -> datetime:
    """When whoever minds the calls begins to make ready the rooms."""
    return start - LOOK_AHEAD


def peak(taken: Iterable[tuple[datetime, datetime, int]], start: datetime, end: datetime) -> int:
    """The most ports that are taken at one instant within [start, end), of (start, end, ports) each."""
    changes = sorted(
        change
        for begins, ends, ports in taken
        if begins < end and ends > start
        for change in ((max(begins, start), ports), (min(ends, end), -ports))
    )
    most = now = 0
    for _instant, ports in changes:  # what ends at an instant sorts before what begins there
        now += ports
        most = max(most, now)
    return most


def spans_above(taken: Iterable[tuple[datetime, datetime, int]], most: int, within: Span) -> list[Span]:
    """When within a span more than `most` ports are taken, of (start, end, ports) each; in order and apart."""
    parts = [(Span(begins, ends).shared_with(within), ports) for begins, ends, ports in taken]
    changes = sorted(
        change for part, ports in parts if part.start < part.end for change in ((part.start, ports), (part.end, -ports))
    )
    found: list[Span] = []
    now, since = 0, within.start
    for instant, group in groupby([(within.start, 0), *changes, (within.end, 0)], key=lambda change: change[0]):
        if now > most and since < instant:
            joins = found and found[-1].end == since
            found[-1:] = [Span(found[-1].start, instant)] if joins else [*found[-1:], Span(since, instant)]
        now, since = now + sum(ports for _instant, ports in group), instant
    return found


def shared(one: Sequence[Span], other: Sequence[Span]) -> list[Span]:
    """What two lists of spans, each in order and apart, have in common."""
    parts = (first.shared_with(second) for first in one for second in other)
    return sorted((part for part in parts if part.start < part.end), key=lambda part: part.start)
