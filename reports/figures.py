"""What the reports show: sums over days of the facts that `reports.usage` keeps."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

import sqlalchemy as sa

from models import ConferenceUsage, Organisation, Outcome, Party, Report, Reservation, Site, Studio, StudioUsage, db
from reports.queries import TAKES_PART
from reports.rules import LATE


@dataclass(frozen=True)
class Figures:
    """Conferences by what became of them, and the studios' seconds, over some days.

    `booked` leaves the cancelled out. `studios` stood there; `studios_used` had a call.
    """

    booked: int = 0
    held: int = 0
    failed: int = 0
    no_shows: int = 0
    cancelled: int = 0
    running: int = 0
    late: int = 0
    as_booked: int = 0
    booked_seconds: int = 0
    used_seconds: int = 0
    healthy_seconds: int = 0
    faulty_seconds: int = 0
    maintenance_seconds: int = 0
    unknown_seconds: int = 0
    studios: int = 0
    studios_used: int = 0

    @property
    def healthy_share(self) -> float | None:
        """The healthy part of the time in which health was known and nobody worked on it; None when there is none."""
        known = self.healthy_seconds + self.faulty_seconds
        return self.healthy_seconds / known if known else None


@dataclass(frozen=True)
class Subject:
    """What figures are about. `id` is 0 for regions and kinds; `code` is a studio's, an organisation's number, or
    the region's or kind's own word; `kind` is of the organisation."""

    id: int
    code: str
    name: str
    kind: str
    region: str
    figures: Figures


COUNTS = ("booked", "held", "failed", "no_shows", "cancelled", "running", "late", "as_booked")
SECONDS = tuple(field.name for field in fields(Figures) if field.name.endswith("_seconds"))


def network(
    first: date, last: date, region: str | None = None, all_studios: Sequence[Subject] | None = None
) -> Figures:
    """The whole network, or the studios of one health region. Seconds are not read again where `all_studios` of the
    same days are at hand: the studios' days are by far the most there is to read."""
    if region is not None:
        return _grouped(Site.health_region, first, last, region).get(region, Figures())
    counts = db.session.execute(sa.select(*_conference_counts()).where(_between(ConferenceUsage.day, first, last)))
    if all_studios is not None:
        return Figures(**_values(counts.one()), **_seconds_of(all_studios))
    seconds = db.session.execute(sa.select(*_seconds()).where(_between(StudioUsage.day, first, last)))
    return Figures(**_values(counts.one()), **_values(seconds.one()))


def regions(first: date, last: date, all_studios: Sequence[Subject] | None = None) -> list[Subject]:
    """By name. `all_studios` as in `network`."""
    if all_studios is None:
        found = _grouped(Site.health_region, first, last)
    else:
        found = _regions_of(all_studios, _counts_by(Site.health_region, first, last, None))
    return [Subject(0, name, name, "", name, found[name]) for name in sorted(found)]


def organisations(first: date, last: date, region: str | None = None) -> list[Subject]:
    """By name; those with studios that stood there in these days."""
    found = _grouped(Site.organisation_id, first, last, region)
    rows = db.session.execute(
        sa.select(
            Organisation.id, Organisation.number, Organisation.name, Organisation.kind, Organisation.health_region
        )
    )
    subjects = [
        Subject(row.id, row.number or "", row.name, str(row.kind), row.health_region, found[row.id])
        for row in rows
        if row.id in found
    ]
    return sorted(subjects, key=lambda subject: (subject.name, subject.id))


def studios(first: date, last: date, region: str | None = None) -> list[Subject]:
    """By code; the counts are of each studio's own parts."""
    # Summed before the names are joined: that costs half as much over a year.
    sums = (
        sa.select(StudioUsage.studio_id, *_part_counts(), *_sums_of_seconds())
        .where(_between(StudioUsage.day, first, last))
        .group_by(StudioUsage.studio_id)
        .subquery()
    )
    named = (Studio.id, Studio.code, Studio.name, Organisation.kind, Site.health_region)
    used = sa.case((sums.c.used_seconds > 0, 1), else_=0).label("studios_used")
    query = (
        sa.select(*named, *(column for column in sums.c if column is not sums.c.studio_id))
        .add_columns(sa.literal(1).label("studios"), used)
        .select_from(sums)
        .join(Studio, Studio.id == sums.c.studio_id)
        .join(Site, Site.id == Studio.site_id)
        .join(Organisation, Organisation.id == Site.organisation_id)
        .where(*_in(region))
    )
    subjects = [
        Subject(row[0], row[1], row[2], str(row[3]), row[4], Figures(**_values(row, skip=len(named))))
        for row in db.session.execute(query)
    ]
    return sorted(subjects, key=lambda subject: subject.code)


def causes(first: date, last: date, region: str | None = None) -> list[tuple[str, int]]:
    """Why conferences failed or were not as booked, in the words of the legs, the most frequent first."""
    query = (
        sa.select(ConferenceUsage.cause, sa.func.count())
        .where(_between(ConferenceUsage.day, first, last), ConferenceUsage.cause.is_not(None))
        .group_by(ConferenceUsage.cause)
    )
    if region is not None:
        query = query.where(has_part_in(region))
    found = [(str(cause), int(number)) for cause, number in db.session.execute(query)]
    return sorted(found, key=lambda pair: (-pair[1], pair[0]))


def has_part_in(region: str) -> sa.ColumnElement[bool]:
    """A studio of the region takes part in the conference."""
    return (
        sa.select(Party.id)
        .outerjoin(Reservation, Reservation.id == Party.reservation_id)
        .join(Studio, Studio.id == sa.func.coalesce(Reservation.studio_id, Party.studio_id))
        .join(Site, Site.id == Studio.site_id)
        .where(Party.conference_id == ConferenceUsage.conference_id, TAKES_PART, Site.health_region == region)
        .exists()
    )


def reported_days(first: date, last: date) -> list[date]:
    query = sa.select(Report.day).where(_between(Report.day, first, last)).order_by(Report.day)
    return list(db.session.scalars(query))


def _grouped(key: Any, first: date, last: date, region: str | None = None) -> dict[Any, Figures]:
    """Figures by `key`, a column of the studios' sites."""
    values: dict[Any, dict[str, int]] = defaultdict(dict)
    for row in (*_counts_by(key, first, last, region), *_seconds_by(key, first, last, region)):
        values[row[0]] |= _values(row, skip=1)
    return {found: Figures(**numbers) for found, numbers in values.items()}


def _regions_of(studios: Iterable[Subject], counts: Iterable[sa.Row[Any]]) -> dict[str, Figures]:
    """The seconds from the studios, the counts, by region, from the conferences."""
    members: dict[str, list[Subject]] = defaultdict(list)
    for studio in studios:
        members[studio.region].append(studio)
    values = {name: _seconds_of(found) for name, found in members.items()}
    for row in counts:
        values[row[0]] = values.get(row[0], {}) | _values(row, skip=1)
    return {name: Figures(**numbers) for name, numbers in values.items()}


def _seconds_of(studios: Sequence[Subject]) -> dict[str, int]:
    names = (*SECONDS, "studios", "studios_used")
    return {name: sum(getattr(studio.figures, name) for studio in studios) for name in names}


def _counts_by(key: Any, first: date, last: date, region: str | None) -> Sequence[sa.Row[Any]]:
    taking_part = _taking_part(sa.select(key.label("key"), ConferenceUsage.conference_id), first, last, region)
    each = taking_part.distinct().subquery()
    query = (
        sa.select(each.c.key, *_conference_counts())
        .select_from(each)
        .join(ConferenceUsage, ConferenceUsage.conference_id == each.c.conference_id)
        .group_by(each.c.key)
    )
    return db.session.execute(query).all()


def _seconds_by(key: Any, first: date, last: date, region: str | None) -> Sequence[sa.Row[Any]]:
    query = (
        sa.select(key, *_seconds())
        .select_from(StudioUsage)
        .join(Studio, Studio.id == StudioUsage.studio_id)
        .join(Site, Site.id == Studio.site_id)
        .where(_between(StudioUsage.day, first, last), *_in(region))
        .group_by(key)
    )
    return db.session.execute(query).all()


def _taking_part(query: sa.Select[Any], first: date, last: date, region: str | None) -> sa.Select[Any]:
    """`query` over the conferences and each of the studios that took part in them."""
    return (
        query.select_from(ConferenceUsage)
        .join(Party, Party.conference_id == ConferenceUsage.conference_id)
        .outerjoin(Reservation, Reservation.id == Party.reservation_id)
        .join(Studio, Studio.id == sa.func.coalesce(Reservation.studio_id, Party.studio_id))
        .join(Site, Site.id == Studio.site_id)
        .where(_between(ConferenceUsage.day, first, last), TAKES_PART, *_in(region))
    )


def _between(column: Any, first: date, last: date) -> sa.ColumnElement[bool]:
    return sa.and_(column >= first, column <= last)


def _in(region: str | None) -> list[sa.ColumnElement[bool]]:
    return [] if region is None else [Site.health_region == region]


def _conference_counts() -> list[sa.ColumnElement[int]]:
    outcome = ConferenceUsage.outcome
    tests = {
        "booked": outcome != Outcome.CANCELLED,
        "held": outcome == Outcome.HELD,
        "failed": outcome == Outcome.FAILED,
        "no_shows": outcome == Outcome.NO_SHOW,
        "cancelled": outcome == Outcome.CANCELLED,
        "running": outcome == Outcome.RUNNING,
        "late": ConferenceUsage.late_seconds > LATE,
        "as_booked": ConferenceUsage.as_booked,
    }
    return [_sum(sa.case((tests[name], 1), else_=0), name) for name in COUNTS]


def _part_counts() -> list[sa.ColumnElement[int]]:
    return [_sum(getattr(StudioUsage, name), name) for name in COUNTS]


def _seconds() -> list[sa.ColumnElement[int]]:
    used = sa.case((StudioUsage.used_seconds > 0, StudioUsage.studio_id))
    return [
        *_sums_of_seconds(),
        sa.func.count(StudioUsage.studio_id.distinct()).label("studios"),
        sa.func.count(used.distinct()).label("studios_used"),
    ]


def _sums_of_seconds() -> list[sa.ColumnElement[int]]:
    return [_sum(getattr(StudioUsage, name), name) for name in SECONDS]


def _sum(number: Any, name: str) -> sa.ColumnElement[int]:
    return sa.func.coalesce(sa.func.sum(number), 0).label(name)


def _values(row: Any, skip: int = 0) -> dict[str, int]:
    """The numbers of a row by their names, from column `skip` on; PostgreSQL sums integers to decimals."""
    return {str(name): int(value) for name, value in list(row._mapping.items())[skip:]}
