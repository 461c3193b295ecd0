"""Which conferences are listed for a program."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import sqlalchemy as sa
from pydantic import Field
from sqlalchemy.orm import joinedload

from accounts.permissions import access
from api.values import Instant, RequestModel
from errors import Invalid
from models import Conference, ConferenceState, Party, Reservation, db
from models.guards import LONGEST_HOURS
from studios.booking import queries
from studios.booking.api.asked import Code, Name
from studios.booking.api.cursors import Cursor, cursor_at, is_after
from studios.booking.api.reading import BOOKERS, ids_by_code, no_such_studio, read_organisation
from studios.booking.api.rights import person
from studios.booking.api.telling import conference_answers
from studios.booking.api.told import ConferencesAnswer

A_WEEK = timedelta(days=7)
Limit = Annotated[int, Field(ge=1, le=200)]


class ConferencesQuery(RequestModel):
    since: Instant | None = Field(None, alias="from")
    to: Instant | None = None
    organisation: Name | None = None
    studio: Code | None = None
    state: Annotated[list[ConferenceState], Field(max_length=8)] = Field(default=[])
    mine: bool = False
    limit: Limit = 50
    cursor: Cursor | None = None


def list_conferences(query: ConferencesQuery) -> ConferencesAnswer:
    start = query.since or datetime.now(UTC)
    wanted = db.select(Conference).where(*_within(start, query.to or start + A_WEEK), *_filters(query))
    if query.cursor:
        wanted = wanted.where(is_after(query.cursor, Conference.starts_at, Conference.id))
    ordered = wanted.order_by(Conference.starts_at, Conference.id).limit(query.limit + 1)
    rows = db.session.scalars(ordered.options(*queries.LISTED, *_MORE)).all()
    shown = rows[: query.limit]
    goes_on = cursor_at(shown[-1].starts_at, shown[-1].id) if len(rows) > query.limit else None
    return ConferencesAnswer(conferences=conference_answers(shown), next=goes_on)


def _within(start: datetime, end: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    """No conference is longer than the guard allows, so those that began before that need not be looked at."""
    longest = timedelta(hours=LONGEST_HOURS)
    return Conference.starts_at < end, Conference.ends_at > start, Conference.starts_at > start - longest


def _filters(query: ConferencesQuery) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if query.state:
        found.append(Conference.state.in_(query.state))
    if query.organisation is not None:
        found.append(_is_of({read_organisation(query.organisation).id}))
    if query.studio is not None:
        found.append(Conference.id.in_(_in_studio(query.studio)))
    if query.mine:
        own = _is_of(access().organisation_ids(*BOOKERS))
        found.append(sa.or_(own, Conference.organiser_id == person().id, Conference.booked_by_id == person().id))
    return found


def _is_of(organisation_ids: set[int] | frozenset[int]) -> sa.ColumnElement[bool]:
    invited = sa.select(Party.conference_id).where(Party.organisation_id.in_(organisation_ids))
    return sa.or_(Conference.organisation_id.in_(organisation_ids), Conference.id.in_(invited))


def _in_studio(code: str) -> sa.Select[Any]:
    studio_id = ids_by_code([code]).get(code)
    if studio_id is None:
        raise Invalid(no_such_studio(code), "studio")
    return sa.select(Party.conference_id).join(Reservation).where(Reservation.studio_id == studio_id)


_MORE = (joinedload(Conference.organiser), joinedload(Conference.bridge))
