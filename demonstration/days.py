"""Write the working day around now, and the year before it. Each chunk is a short transaction of its own, so that a
running installation is not held up."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from random import Random
from zoneinfo import ZoneInfo

from config import settings
from demonstration.bridges import give_ports
from demonstration.day_plan import LivingDay, Meeting, plan_around, plan_day
from demonstration.network import Network
from demonstration.people import keep_planners
from demonstration.rows import Rows, add_change, add_outage, add_story, keys_needed
from demonstration.storing import (
    Cast,
    busy,
    cast,
    first_change,
    first_fault,
    first_own_start,
    give_keys,
    insert,
    keep_signs_of_life,
    network,
    starts_between,
)
from demonstration.working_days import days_before
from demonstration.year_plan import DAYS, Outage, Outages, Story, plan_outages, tell, unwatched
from models import Conference, ConferenceState, Health, write
from progress import ReportProgress
from reports.figures import reported_days
from reports.usage import keep_days

# A day has run dry when fewer than so many begin in the time ahead: the last stragglers of an evening are no life.
AHEAD, FEWEST_AHEAD = timedelta(hours=2), 3
LONGEST_DAY = timedelta(hours=30)  # before and after now
ONE_DAY = timedelta(days=1)
AT_ONCE = 2  # days in one transaction


@dataclass(frozen=True)
class Written:
    """How many conferences the day has, and how many of them are over."""

    conferences: int
    over: int


def write_day(seed: int, now: datetime) -> Written | None:
    """The working day around now; None where the last one still has enough to come."""
    return write(lambda: _write_day(seed, now))


def write_year(seed: int, now: datetime, progress: ReportProgress, days: int = DAYS) -> int:
    """The days before today with their usage, the latest first; how many were written now.

    One that was cut short is carried on, and one that is complete is left alone whenever it is asked for again.
    """
    zone = ZoneInfo(settings().zone)
    past = days_before(now.astimezone(zone).date(), days)
    missing = _missing(past, zone)
    if not missing:
        return 0  # the days since then have nights of their own to be reported in
    write(lambda: keep_planners(now))
    _write_days(_planned(seed, missing, zone), seed, zone, now, lambda done: progress(done, len(missing)))
    write(lambda: keep_signs_of_life(now))
    keep_days(_unreported(past, zone))
    return len(missing)


@dataclass(frozen=True)
class _Plans:
    """What the days hold; `watched` are those that nobody has watched the studios on yet."""

    network: Network
    meetings: dict[date, list[Meeting]]  # the latest day first
    watched: frozenset[date]


def _write_day(seed: int, now: datetime) -> Written | None:
    if starts_between(now, now + AHEAD) >= FEWEST_AHEAD:
        return None
    keep_planners(now)
    zone = ZoneInfo(settings().zone)
    day = plan_around(seed, now, zone, network(seed), busy(now - LONGEST_DAY, now + LONGEST_DAY))
    if starts_between(_midnight(now.astimezone(zone).date(), zone), now):
        day = LivingDay((), day.future)  # today has a past already
    random = Random(f"{seed} {now.isoformat()}")
    stories = [*(tell(random, meeting, Outages([])) for meeting in day.past), *_to_come(day, now)]
    rows = _rows(stories, give_keys(Conference, len(stories)), cast())
    insert(rows)
    give_ports(now)
    return Written(len(stories), len(day.past))


def _to_come(day: LivingDay, now: datetime) -> Iterator[Story]:
    for meeting in day.future:
        cancelled_at = now - timedelta(minutes=5) if meeting.cancelled else None
        state = ConferenceState.CANCELLED if meeting.cancelled else ConferenceState.PLANNED
        yield Story(meeting, state, cancelled_at, ())


def _missing(past: Sequence[date], zone: ZoneInfo) -> list[date]:
    """The days that are older than all that is there."""
    oldest = first_own_start()
    return [day for day in past if oldest is None or day < oldest.astimezone(zone).date()]


def _unreported(past: Sequence[date], zone: ZoneInfo) -> list[date]:
    oldest = first_own_start()
    made = set(reported_days(past[-1], past[0]))
    return [day for day in reversed(past) if oldest and oldest.astimezone(zone).date() <= day and day not in made]


def _planned(seed: int, days: Sequence[date], zone: ZoneInfo) -> _Plans:
    there, watched_from = network(seed), first_fault()
    taken = busy(_midnight(days[-1], zone), _midnight(days[0] + timedelta(days=1), zone))
    meetings = {day: plan_day(seed, day, zone, there, taken) for day in days}
    nobody_watched = [day for day in days if watched_from is None or _midnight(day, zone) + ONE_DAY <= watched_from]
    return _Plans(there, meetings, frozenset(nobody_watched))


def _write_days(plans: _Plans, seed: int, zone: ZoneInfo, now: datetime, told: Callable[[int], None]) -> None:
    """The latest first: SQLite's guard against overlaps reads all that a studio had before, and so finds little.

    The conferences' keys are given out in the order of time nevertheless, all of them with the first chunk. Each
    chunk's usage follows at once: a scheduler that runs meanwhile finds no night to make up.
    """
    days = list(plans.meetings)
    following = sum(map(len, plans.meetings.values()))
    people, first_key = cast(), 0
    write(lambda: _begin_watch(plans, days[-1], zone, now))
    for start in range(0, len(days), AT_ONCE):
        some = days[start : start + AT_ONCE]
        following -= sum(len(plans.meetings[day]) for day in some)
        first_key = write(partial(_write_chunk, plans, seed, zone, people, some, first_key, following))
        keep_days(some)
        told(start + len(some))


def _write_chunk(
    plans: _Plans, seed: int, zone: ZoneInfo, people: Cast, days: Sequence[date], first_key: int, earlier: int
) -> int:
    """Some days; `earlier` conferences come before them. Returns where the year's keys begin."""
    first_key = first_key or give_keys(Conference, sum(map(len, plans.meetings.values())))
    outages = {day: _outages(plans, seed, day, zone) for day in days}
    stories = []
    for day in reversed(days):
        random, hindrances = Random(f"{seed} {day} stories"), Outages(outages[day])
        stories += [tell(random, meeting, hindrances) for meeting in plans.meetings[day]]
    rows = _rows(stories, first_key + earlier, people)
    for day in set(days) & plans.watched:
        _add_health(rows, plans, outages[day], unwatched(seed, day, zone))
    insert(rows)
    return first_key


def _begin_watch(plans: _Plans, oldest: date, zone: ZoneInfo, now: datetime) -> None:
    """All is well from the first midnight on, unless something is known from before it; outages come with the days."""
    begin, known = _midnight(oldest, zone), first_change()
    if known is None or known > begin:
        rows = Rows({})
        for room in plans.network.rooms:
            add_change(rows, room, begin, Health.UNKNOWN, Health.OK, "")
        insert(rows)
    keep_signs_of_life(now)


def _outages(plans: _Plans, seed: int, day: date, zone: ZoneInfo) -> list[Outage]:
    """None in the hours in which the monitor did not run: nobody saw them."""
    gap = unwatched(seed, day, zone)
    found = plan_outages(seed, day, zone, plans.network.rooms)
    return [outage for outage in found if gap is None or outage.ends_at < gap[0] or outage.begins_at > gap[1]]


def _add_health(rows: Rows, plans: _Plans, outages: Sequence[Outage], gap: tuple[datetime, datetime] | None) -> None:
    for outage in outages:
        add_outage(rows, outage)
    if gap:
        for room in plans.network.rooms:
            add_change(rows, room, gap[0], Health.OK, Health.UNKNOWN, "stale")
            add_change(rows, room, gap[1], Health.UNKNOWN, Health.OK, "")


def _rows(stories: Sequence[Story], first_key: int, people: Cast) -> Rows:
    needed = keys_needed(stories)
    del needed[Conference]
    rows = Rows({Conference: first_key} | {table: give_keys(table, number) for table, number in needed.items()})
    for story in stories:
        add_story(rows, story, people.organiser(story.meeting.rooms[0], story.meeting.own))
    return rows


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
