"""Reading what plans need, and writing their rows in bulk. The caller commits."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from demonstration.day_plan import Busy
from demonstration.inventory_plan import CODEC_CREDENTIAL
from demonstration.network import Network, Room
from demonstration.people import coordinator, is_planner, planners
from demonstration.rows import TABLES, Rows
from models import (
    Closure,
    Conference,
    Credential,
    Endpoint,
    EndpointStatus,
    Health,
    Organisation,
    OrganisationKind,
    Reservation,
    Site,
    StatusChange,
    Studio,
    db,
)

CHUNK = 5000


@dataclass(frozen=True)
class Cast:
    """Who books: by organisation, by health region for the others, and the coordinator people sign in as."""

    of_organisation: Mapping[int, int]
    of_region: Mapping[str, int]
    coordinator: int | None

    def organiser(self, host: Room, own: bool) -> int | None:
        if own:
            return self.coordinator
        return self.of_organisation.get(host.organisation_id, self.of_region.get(host.region))


def network(seed: int) -> Network:
    """The demonstration's own studios that are in use."""
    person = coordinator()
    return Network(seed, _rooms(), person.grants[0].organisation_id if person else None)


def cast() -> Cast:
    people, person = planners(), coordinator()
    regions = {
        account.grants[0].organisation.health_region: account.id
        for account in people
        if account.grants[0].organisation and account.grants[0].organisation.kind is OrganisationKind.REGIONAL_AUTHORITY
    }
    return Cast(
        {account.grants[0].organisation_id or 0: account.id for account in people},
        regions,
        person.id if person else None,
    )


def busy(begin: datetime, end: datetime) -> Busy:
    """What the studios have already, by studio: reservations and closures."""
    spans: dict[int, list[tuple[datetime, datetime]]] = defaultdict(list)
    taken = sa.select(Reservation.studio_id, Reservation.starts_at, Reservation.ends_at).where(
        Reservation.released_at.is_(None), Reservation.starts_at < end, Reservation.ends_at > begin
    )
    closed = (
        sa.select(Studio.id, Closure.starts_at, Closure.ends_at)
        .join(Closure, sa.or_(Closure.studio_id == Studio.id, Closure.site_id == Studio.site_id))
        .where(Closure.starts_at < end, Closure.ends_at > begin)
    )
    for query in (taken, closed):
        for studio_id, start, stop in db.session.execute(query):
            spans[studio_id].append((start, stop))
    return spans


def starts_between(begin: datetime, end: datetime) -> int:
    """How many conferences of the demonstration's own begin in that time."""
    query = sa.select(sa.func.count(Conference.id)).where(
        Conference.starts_at >= begin, Conference.starts_at < end, is_planner(Conference.organiser_id)
    )
    return db.session.scalar(query) or 0


def first_own_start() -> datetime | None:
    """When the oldest conference of the demonstration's own began."""
    return db.session.scalar(sa.select(sa.func.min(Conference.starts_at)).where(is_planner(Conference.organiser_id)))


def first_change() -> datetime | None:
    """Since when something is known of the studios' health."""
    return db.session.scalar(sa.select(sa.func.min(StatusChange.at)))


def first_fault() -> datetime | None:
    """When the first thing happened to a studio that was known before."""
    return db.session.scalar(sa.select(sa.func.min(StatusChange.at)).where(StatusChange.from_health != Health.UNKNOWN))


def keep_signs_of_life(now: datetime) -> None:
    """The present of endpoints that no monitor has read yet: as their last change left them, and well until now.

    Asked again with the same `now`, it follows the changes that were written since.
    """
    since = sa.select(sa.func.max(StatusChange.at)).where(StatusChange.endpoint_id == EndpointStatus.endpoint_id)
    watched = sa.select(StatusChange.endpoint_id)
    db.session.execute(
        sa.update(EndpointStatus)
        .where(sa.func.coalesce(EndpointStatus.last_poll_at, now) == now, EndpointStatus.endpoint_id.in_(watched))
        .values(
            health=Health.OK,
            cause="",
            since=since.scalar_subquery(),
            changed_at=now,
            last_poll_at=now,
            last_answer_at=now,
        )
        .execution_options(synchronize_session=False)
    )


def give_keys(table: type[Any], number: int) -> int:
    """The first of so many keys in a row that nobody has; within a writing transaction.

    SQLite's keys follow the largest, and its transaction keeps others out. PostgreSQL's come from a sequence that
    others use at any time: each of ours is taken from it, and only an unbroken row will do.
    """
    if number == 0:
        return 0
    if db.engine.dialect.name == "sqlite":
        return int(db.session.scalar(sa.select(sa.func.coalesce(sa.func.max(table.id), 0))) or 0) + 1
    taken = sa.text("SELECT nextval(pg_get_serial_sequence(:name, 'id')) FROM generate_series(1, :number)")
    while True:
        keys = list(db.session.scalars(taken, {"name": table.__table__.name, "number": number}))
        if keys and keys[-1] - keys[0] == number - 1:
            return int(keys[0])


def insert(rows: Rows) -> None:
    for table in TABLES:
        found = rows.of[table]
        for start in range(0, len(found), CHUNK):
            db.session.execute(sa.insert(table.__table__), found[start : start + CHUNK])


def _rooms() -> list[Room]:
    query = (
        sa.select(
            Studio.id, Endpoint.id, Studio.code, Site.id, Organisation.id, Organisation.kind, Site.health_region,
            Endpoint.control_driver, Studio.setup_minutes, Studio.clear_down_minutes,
        )
        .join(Endpoint, Endpoint.studio_id == Studio.id)
        .join(Credential, Endpoint.control_credential_id == Credential.id)
        .join(Site, Studio.site_id == Site.id)
        .join(Organisation, Site.organisation_id == Organisation.id)
        .where(Credential.name == CODEC_CREDENTIAL, Studio.retired_at.is_(None))
    )  # fmt: skip
    return [
        Room(*row[:7], steered=row.control_driver is not None, setup_minutes=row[8], clear_down_minutes=row[9])
        for row in db.session.execute(query)
    ]
