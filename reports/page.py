"""What a report page shows, gathered in few queries and summed."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime

from flask_babel import gettext as _

from reports import charts, figures, trends, wording
from reports.figures import Figures, Subject
from reports.periods import Period, working_days
from reports.rules import days_between
from reports.wording import Change

STUDIOS_SHOWN = 10
LOW_HEALTH = 0.95
OPEN_HOURS = 10  # 07-17 on a working day
SECONDS = 3600
ORDERS = ("used", "deviation", "booked", "healthy", "failed", "name")


@dataclass(frozen=True)
class Stat:
    """A key figure. `note` stands behind its change, or alone."""

    name: str
    value: str
    change: Change | None
    note: str


@dataclass(frozen=True)
class Line:
    """A count beside that of the period before, and its change where there was one."""

    name: str
    number: int
    change: Change | None


@dataclass(frozen=True)
class Room:
    """A studio of the ranking; bars are lengths of 100."""

    subject: Subject
    booked_bar: float
    used_bar: float
    healthy_bar: float
    low: bool

    @property
    def deviation(self) -> int:
        return deviation(self.subject.figures)


@dataclass(frozen=True)
class Scope:
    """What a page is about. `made` has the reported days; `before` is compared with, None when not all of its days were
    reported."""

    period: Period
    region: str | None
    made: dict[date, datetime]
    before: Period | None

    @property
    def last(self) -> date:
        return max(self.made)

    @property
    def missing(self) -> int:
        return self.period.days - len(self.made)


@dataclass(frozen=True)
class ReportPage:
    scope: Scope
    regions: list[Subject]
    now: Figures
    stats: list[Stat]
    outcomes: list[Line]
    causes: list[Line]
    rooms: list[Room]
    room_count: int
    open_hours: int
    kinds: list[Subject]
    weeks: list[trends.Week]
    trend: charts.Trend
    busy: trends.Busy

    @property
    def watched_share(self) -> float | None:
        """The part of all the studios' time in which their health was known."""
        known = self.now.healthy_seconds + self.now.faulty_seconds + self.now.maintenance_seconds
        whole = known + self.now.unknown_seconds
        return known / whole if whole else None


def scope_of(period: Period, region: str | None) -> Scope | None:
    """None when no day of the period was reported. A period that is not over is compared with as many days."""
    previous = period.previous
    made = trends.made_reports(previous.first, period.last)
    own = {day: at for day, at in made.items() if day >= period.first}
    if not own:
        return None
    over = max(own) == period.last
    before = previous if over else previous.up_to((max(own) - period.first).days + 1)
    # Against a period of which only some days are reported, everything would seem to have multiplied.
    compared = all(day in made for day in days_between(before.first, before.last))
    return Scope(period, region, own, before if compared else None)


def report_page(scope: Scope, order: str, zone: str) -> ReportPage:
    """Raises nothing: a region that nobody is in counts as no region."""
    first, last = scope.period.first, scope.period.last
    everywhere = figures.studios(first, last)
    regions = figures.regions(first, last, everywhere)
    region = scope.region if scope.region in {subject.name for subject in regions} else None
    scope = Scope(scope.period, region, scope.made, scope.before)
    now = next((one.figures for one in regions if one.name == region), None)
    now = now or figures.network(first, last, all_studios=everywhere)
    before = figures.network(scope.before.first, scope.before.last, region) if scope.before else None
    studios = [one for one in everywhere if region is None or one.region == region]
    weeks = trends.conferences_by_week(scope.last, region)
    open_hours = open_hours_of(scope)
    return ReportPage(
        scope,
        regions,
        now,
        _stats(now, before),
        _outcomes(now, before),
        _causes(scope),
        [room(subject, open_hours) for subject in ordered(studios, order)[:STUDIOS_SHOWN]],
        len(studios),
        open_hours,
        by_kind(studios),
        weeks,
        charts.trend(weeks),
        trends.busiest_hours(first, last, zone),
    )


def open_hours_of(scope: Scope) -> int:
    """The hours of the reported working days; of all of them where none is one, so that a Sunday's bars fit too."""
    days = sum(working_days(day, day) for day in scope.made) or len(scope.made)
    return days * OPEN_HOURS


def as_booked_share(of: Figures) -> float | None:
    """Of the conferences that are over; None when there are none."""
    return of.as_booked / decided(of) if decided(of) else None


def no_show_share(of: Figures) -> float | None:
    return of.no_shows / decided(of) if decided(of) else None


def decided(of: Figures) -> int:
    return of.booked - of.running


def deviation(of: Figures) -> int:
    """Seconds used more than booked; negative when less."""
    return of.used_seconds - of.booked_seconds


def ordered(subjects: Sequence[Subject], order: str) -> list[Subject]:
    """The most notable first; by name where all else is the same. Health that is not known comes last."""
    keys = {
        "used": lambda of: -of.used_seconds,
        "booked": lambda of: -of.booked_seconds,
        "deviation": lambda of: -abs(deviation(of)),
        "healthy": lambda of: 2.0 if of.healthy_share is None else of.healthy_share,
        "failed": lambda of: -(of.failed + of.no_shows),
        "conferences": lambda of: -of.booked,
        "name": lambda of: 0,
    }
    key = keys.get(order, keys["used"])
    return sorted(subjects, key=lambda subject: (key(subject.figures), subject.name, subject.code))


def room(subject: Subject, open_hours: int) -> Room:
    of, whole, health = subject.figures, open_hours * SECONDS, subject.figures.healthy_share
    return Room(
        subject,
        charts.bar(of.booked_seconds, whole),
        charts.bar(of.used_seconds, whole),
        charts.bar(health or 0, 1),
        health is not None and health < LOW_HEALTH,
    )


def by_kind(studios: Iterable[Subject]) -> list[Subject]:
    """The studios' own parts, summed by the kind of their organisation; those with the most studios first."""
    sums: dict[str, Figures] = {}
    for studio in studios:
        sums[studio.kind] = _plus(sums.get(studio.kind, Figures()), studio.figures)
    subjects = [Subject(0, kind, kind, kind, "", of) for kind, of in sums.items()]
    return sorted(subjects, key=lambda subject: (-subject.figures.studios, subject.name))


def _plus(one: Figures, other: Figures) -> Figures:
    return Figures(**{field.name: getattr(one, field.name) + getattr(other, field.name) for field in fields(Figures)})


def _stats(now: Figures, before: Figures | None) -> list[Stat]:
    return [
        _counted(_("Conferences"), now, before, lambda of: of.booked),
        _counted(_("Studio hours"), now, before, lambda of: of.used_seconds / SECONDS),
        _shared(_("Went as booked"), now, before, as_booked_share, 1),
        _shared(_("Nobody came"), now, before, no_show_share, -1),
        _studios_in_use(now, before),
        _shared(_("Healthy"), now, before, lambda of: of.healthy_share, 1),
    ]


def _counted(name: str, now: Figures, before: Figures | None, value: Callable[[Figures], float]) -> Stat:
    if before is None:
        return Stat(name, wording.number(value(now)), None, "")
    change = wording.change_in_number(value(now), value(before))
    return Stat(name, wording.number(value(now)), change, _("from %(number)s", number=wording.number(value(before))))


def _shared(
    name: str, now: Figures, before: Figures | None, value: Callable[[Figures], float | None], good: int
) -> Stat:
    if before is None:
        return Stat(name, wording.share(value(now)), None, "")
    then = value(before)
    note = _("not known before") if then is None else _("from %(number)s", number=wording.share(then))
    return Stat(name, wording.share(value(now)), wording.change_in_share(value(now), then, good), note)


def _studios_in_use(now: Figures, before: Figures | None) -> Stat:
    change = wording.change_in_count(now.studios_used, before.studios_used) if before else None
    share = wording.share(now.studios_used / now.studios if now.studios else None)
    note = _("of %(number)s, %(share)s", number=wording.number(now.studios), share=share)
    return Stat(_("Studios in use"), wording.number(now.studios_used), change, note)


def _outcomes(now: Figures, before: Figures | None) -> list[Line]:
    names = {
        "held": (_("Held"), 0),
        "late": (_("of these, began late"), -1),
        "no_shows": (_("Nobody came"), -1),
        "failed": (_("Failed"), -1),
        "running": (_("Not over when counted"), 0),
        "cancelled": (_("Cancelled"), 0),
    }
    return [
        _line(name, getattr(now, key), None if before is None else getattr(before, key), good)
        for key, (name, good) in names.items()
    ]


def _causes(scope: Scope) -> list[Line]:
    now = figures.causes(scope.period.first, scope.period.last, scope.region)
    before = dict(figures.causes(scope.before.first, scope.before.last, scope.region)) if scope.before else None
    return [
        _line(wording.cause(cause), number, None if before is None else before.get(cause, 0), -1)
        for cause, number in now
    ]


def _line(name: str, now: int, before: int | None, good: int) -> Line:
    return Line(name, now, None if before is None else wording.change_in_count(now, before, good))
