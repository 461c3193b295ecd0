"""What makes a booking acceptable: pure decisions on plain values and `now`."""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

LONGEST_TITLE = 80
FEWEST_PARTIES = 2
MOST_PARTIES = 50
# A start is typed in whole minutes: the minute that has just begun is still "now".
START_GRACE = timedelta(seconds=60)


class Problem(StrEnum):
    """Why a request is refused, whatever the studios are doing."""

    TITLE_MISSING = "title_missing"
    TITLE_TOO_LONG = "title_too_long"
    TITLE_UNPRINTABLE = "title_unprintable"
    TOO_FEW_PARTIES = "too_few_parties"
    TOO_MANY_PARTIES = "too_many_parties"
    STUDIO_TWICE = "studio_twice"
    END_BEFORE_START = "end_before_start"
    START_IN_THE_PAST = "start_in_the_past"
    END_IN_THE_PAST = "end_in_the_past"
    TOO_LONG = "too_long"
    TOO_FAR_AHEAD = "too_far_ahead"
    START_IS_FIXED = "start_is_fixed"
    STUDIOS_ARE_FIXED = "studios_are_fixed"


class TimeDoesNotExist(Exception):
    """The clock is moved forward over this time."""


class TimeIsAmbiguous(Exception):
    """The clock is moved back over this time: it comes twice."""


@dataclass(frozen=True)
class Limits:
    longest: timedelta
    horizon: timedelta


@dataclass(frozen=True)
class Wish:
    """What a coordinator asks for. Studios by key, in the order of the table; the first is host where it can be."""

    title: str
    start: datetime
    end: datetime
    studio_ids: tuple[int, ...]


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


def clean_title(title: str) -> str:
    """The title with runs of white space folded to one space."""
    return " ".join(title.split())


def problems(wish: Wish, now: datetime, limits: Limits) -> list[Problem]:
    """Everything that is wrong with a new conference or one that has not started."""
    found = title_problems(wish.title) + party_problems(wish.studio_ids)
    if wish.end <= wish.start:
        found.append(Problem.END_BEFORE_START)
    elif wish.end - wish.start > limits.longest:
        found.append(Problem.TOO_LONG)
    if wish.start < now - START_GRACE:
        found.append(Problem.START_IN_THE_PAST)
    if wish.start > now + limits.horizon:
        found.append(Problem.TOO_FAR_AHEAD)
    return found


def problems_while_running(
    wish: Wish, start: datetime, studio_ids: Sequence[int], now: datetime, limits: Limits
) -> list[Problem]:
    """What is wrong with a change to a conference whose calls are up: only its title and its end can move."""
    found = title_problems(wish.title)
    if wish.start != start:
        found.append(Problem.START_IS_FIXED)
    if tuple(wish.studio_ids) != tuple(studio_ids):
        found.append(Problem.STUDIOS_ARE_FIXED)
    if wish.end <= now:
        found.append(Problem.END_IN_THE_PAST)
    elif wish.end - start > limits.longest:
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
    if not title:
        return [Problem.TITLE_MISSING]
    if len(title) > LONGEST_TITLE:
        return [Problem.TITLE_TOO_LONG]
    if any(unicodedata.category(character) in ("Cc", "Cs", "Co", "Cn") for character in title):
        return [Problem.TITLE_UNPRINTABLE]
    return []


def party_problems(studio_ids: Sequence[int]) -> list[Problem]:
    if len(studio_ids) < FEWEST_PARTIES:
        return [Problem.TOO_FEW_PARTIES]
    if len(studio_ids) > MOST_PARTIES:
        return [Problem.TOO_MANY_PARTIES]
    if len(set(studio_ids)) < len(studio_ids):
        return [Problem.STUDIO_TWICE]
    return []
