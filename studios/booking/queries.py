"""Reads of conferences and of who has a studio when."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import aliased, joinedload, selectinload

from accounts.rules import Access
from models import (
    Admission,
    Closure,
    Conference,
    Endpoint,
    EndpointStatus,
    Event,
    Leg,
    Organisation,
    Party,
    Preflight,
    Reservation,
    Role,
    Site,
    Studio,
    WaitingRequest,
    db,
)
from models.guards import LONGEST_HOURS
from studios.booking.candidates import Candidate
from studios.booking.rules import Phase, phase
from studios.calendars.rules import Span

PAGE = 50


@dataclass(frozen=True)
class Clash:
    """Somebody else's time in a studio that was asked for; never their title."""

    studio: Studio
    starts_at: datetime
    ends_at: datetime
    reference: str
    owner: str
    contact: str
    movable: bool = False
    reservation_id: int = 0


@dataclass(frozen=True)
class Closed:
    """A studio that is out of use in the time that was asked for."""

    studio: Studio | Candidate
    starts_at: datetime
    ends_at: datetime
    reason: str


# How long before a conference what happens to its studios' equipment begins to matter to it.
BEFORE = timedelta(minutes=30)


def conference_by_reference(reference: str) -> Conference | None:
    """The conference with all that its page shows of it: parties, studios, sites, endpoints."""
    conference_id = Conference.id_of(reference)
    if conference_id is None:
        return None
    return db.session.scalar(db.select(Conference).where(Conference.id == conference_id).options(*_WHOLE))


def conference_anew(conference: Conference) -> Conference:
    """The same with all of it, as it is stored now; what was not flushed is lost."""
    query = db.select(Conference).where(Conference.id == conference.id).options(*_WHOLE)
    return db.session.scalars(query.execution_options(populate_existing=True)).one()


def conferences_between(
    start: datetime,
    end: datetime,
    organisation_ids: Collection[int] | None = None,
    page: int = 1,
    text: str = "",
    fitting: sa.ColumnElement[bool] | None = None,
) -> tuple[list[Conference], int]:
    """A page of the conferences that overlap [start, end), by start, and how many there are in all.

    With `organisation_ids`, those that one of these organisations owns or takes part in; with `fitting`, those for
    which that holds.
    """
    wanted = db.select(Conference).where(Conference.starts_at < end, Conference.ends_at > start)
    if organisation_ids is not None:
        invited = db.select(Party.conference_id).where(Party.organisation_id.in_(organisation_ids))
        wanted = wanted.where(Conference.organisation_id.in_(organisation_ids) | Conference.id.in_(invited))
    if fitting is not None:
        wanted = wanted.where(fitting)
    conference_id = Conference.id_of(text.strip()) if text.strip() else None
    if conference_id is not None:
        wanted = wanted.where(Conference.id == conference_id)
    total = db.session.scalar(db.select(sa.func.count()).select_from(wanted.subquery())) or 0
    rows = wanted.options(*LISTED).order_by(Conference.starts_at, Conference.id).limit(PAGE).offset((page - 1) * PAGE)
    return list(db.session.scalars(rows)), total


def conferences_of_series(series_id: int) -> list[Conference]:
    """All meetings of a series, by their start."""
    query = db.select(Conference).where(Conference.series_id == series_id).order_by(Conference.starts_at)
    return list(db.session.scalars(query))


def clashes(blocked: Mapping[int, Span], but: int | None = None) -> list[Clash]:
    """Whose time overlaps each studio's own span, by start; `but` is the conference that is being moved."""
    if not blocked:
        return []
    rows = db.session.scalars(_WITH_OWNER.where(*_in_the_way(blocked, but)))
    return _clashes([row for row in rows if blocked[row.studio_id].overlaps(Span(row.starts_at, row.ends_at))])


def clashes_by_reservation(reservation_ids: Collection[int]) -> dict[int, Clash]:
    """Whose time these reservations are, by their keys and in the order of their starts."""
    if not reservation_ids:
        return {}
    rows = db.session.scalars(_WITH_OWNER.where(Reservation.id.in_(reservation_ids))).all()
    return {clash.reservation_id: clash for clash in _clashes(rows)}


def closures(studios: Sequence[Studio | Candidate], start: datetime, end: datetime) -> list[Closed]:
    """Which of these studios are closed, themselves or with their site, within [start, end)."""
    rows = db.session.scalars(
        db.select(Closure).where(
            Closure.starts_at < end,
            Closure.ends_at > start,
            sa.or_(
                Closure.studio_id.in_([studio.id for studio in studios]),
                Closure.site_id.in_([studio.site_id for studio in studios]),
            ),
        )
    ).all()
    return [
        Closed(studio, row.starts_at, row.ends_at, row.reason)
        for studio in studios
        for row in rows
        if row.studio_id == studio.id or row.site_id == studio.site_id
    ]


def studios_by_code(codes: Sequence[str]) -> dict[str, Studio]:
    """The studios in use among these codes, with their sites and endpoints."""
    query = db.select(Studio).where(Studio.code.in_(codes), Studio.retired_at.is_(None))
    loaded = query.options(joinedload(Studio.site).joinedload(Site.organisation), joinedload(Studio.endpoint))
    return {studio.code: studio for studio in db.session.scalars(loaded)}


def reservations_between(studio_ids: Collection[int], start: datetime, end: datetime) -> list[Reservation]:
    """What is reserved in these studios within [start, end), with each conference's owner."""
    query = (
        db.select(Reservation)
        .where(*held(studio_ids, start, end))
        .options(joinedload(Reservation.conference).joinedload(Conference.organisation))
        .order_by(Reservation.starts_at)
    )
    return list(db.session.scalars(query))


def statuses_of(studios: Collection[Studio]) -> dict[int, EndpointStatus]:
    """The present state of these studios' equipment, by studio; those without any are missing."""
    query = (
        sa.select(Endpoint.studio_id, EndpointStatus)
        .join(EndpointStatus, EndpointStatus.endpoint_id == Endpoint.id)
        .where(Endpoint.studio_id.in_([studio.id for studio in studios]))
    )
    return {row.studio_id: row.EndpointStatus for row in db.session.execute(query)}


def legs_of(conference: Conference) -> dict[int, Leg]:
    """The legs by party; the host has none."""
    legs = db.session.scalars(db.select(Leg).where(Leg.conference_id == conference.id))
    return {leg.party_id: leg for leg in legs}


def admissions_of(conference: Conference) -> dict[int, Admission]:
    """How it is let into each studio, by party; none before anybody has thought of it."""
    ids = [party.id for party in conference.parties]
    return {row.party_id: row for row in db.session.scalars(db.select(Admission).where(Admission.party_id.in_(ids)))}


def looks_at(conference: Conference) -> dict[int, Preflight]:
    """By studio, the last look before the start."""
    query = db.select(Preflight).filter_by(conference_id=conference.id).order_by(Preflight.minutes.desc())
    return {row.studio_id: row for row in db.session.scalars(query)}


def is_muted(conference: Conference) -> bool:
    """Whether rooms are silenced for it already, in its last seconds before the start."""
    ids = [party.id for party in conference.parties]
    muted = (Admission.muted_at.is_not(None), Admission.opened_at.is_(None))
    return db.session.scalar(db.select(Admission.party_id).where(Admission.party_id.in_(ids), *muted)) is not None


def events_of(conference: Conference, limit: int = 200) -> list[Event]:
    """What happened to a conference, and to its studios' equipment from half an hour before it until its end; newest
    first."""
    studio_ids = [party.studio_id for party in conference.parties if party.studio_id is not None]
    of_equipment = sa.and_(
        Event.studio_id.in_(studio_ids),
        Event.conference_id.is_(None),
        Event.incident_id.is_(None),
        Event.at >= conference.starts_at - BEFORE,
        Event.at <= conference.ends_at,
    )
    query = (
        db.select(Event)
        .where(sa.or_(Event.conference_id == conference.id, of_equipment))
        .options(joinedload(Event.studio).joinedload(Studio.site), joinedload(Event.account))
        .order_by(Event.at.desc(), Event.id.desc())
        .limit(limit)
    )
    return list(db.session.scalars(query))


def may_change(access: Access, conference: Conference) -> bool:
    """Its coordinators; an emergency also who holds that right, or they could not cancel what they booked."""
    emergency = conference.priority > 0 and access.covers(conference.organisation_id, Role.EMERGENCY)
    return emergency or access.covers(conference.organisation_id, Role.COORDINATOR, Role.ADMINISTRATOR)


def may_see_title(access: Access, conference: Conference) -> bool:
    """A title is for the organisations around the table; everybody else sees that the time is taken."""
    organisations = {conference.organisation_id, *(party.organisation_id for party in conference.parties)}
    coordinates = (access.covers(each, Role.COORDINATOR, Role.ADMINISTRATOR) for each in organisations)
    return may_change(access, conference) or any(coordinates)


def is_under_way(conference: Conference) -> bool:
    """Whether calls are up or being set up or taken down, or the room is in use without video."""
    return phase_of(conference) is Phase.UNDER_WAY


def phase_of(conference: Conference) -> Phase:
    """Whether it is planned, under way or over at this moment."""
    return phase(conference.state, conference.video, conference.starts_at, conference.ends_at, datetime.now(UTC))


def held(studio_ids: Collection[int], start: datetime, end: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    """What is reserved in these studios within [start, end): neither released nor expired.

    No reservation is longer than the guard allows, so those that began before that need not be looked at.
    """
    return (
        Reservation.studio_id.in_(studio_ids),
        Reservation.is_held(datetime.now(UTC)),
        Reservation.starts_at < end,
        Reservation.starts_at > start - timedelta(hours=LONGEST_HOURS),
        Reservation.ends_at > start,
    )


def _in_the_way(blocked: Mapping[int, Span], but: int | None) -> tuple[sa.ColumnElement[bool], ...]:
    """What may overlap the spans: all that overlaps the time from the first of them to the last."""
    start, end = min(span.start for span in blocked.values()), max(span.end for span in blocked.values())
    not_moved = sa.or_(Reservation.conference_id.is_(None), Reservation.conference_id != (but or 0))
    return *held(blocked.keys(), start, end), not_moved


def _clashes(rows: Sequence[Reservation]) -> list[Clash]:
    phones = _phones_of({owner.id for row in rows if (owner := _owner(row))}) if rows else {}
    return sorted((_clash(row, phones) for row in rows), key=lambda clash: (clash.starts_at, clash.studio.code))


def _clash(row: Reservation, phones: dict[int, str]) -> Clash:
    owner = _owner(row)
    return Clash(
        studio=row.studio,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        reference=row.conference.reference if row.conference else "",
        owner=owner.name if owner else "",
        contact=phones.get(owner.id, "") if owner else "",
        movable=bool(row.conference and row.conference.movable),
        reservation_id=row.id,
    )


def _owner(row: Reservation) -> Organisation | None:
    """Whose the time is: of the conference, or of who was offered it from the waiting list."""
    if row.conference:
        return row.conference.organisation
    return row.waiting_request.organisation if row.waiting_request else None


def _phones_of(organisation_ids: Collection[int]) -> dict[int, str]:
    """A telephone number of each organisation: the one at its first site that has one."""
    other = aliased(Site)
    first = (
        db.select(sa.func.min(other.id))
        .where(other.organisation_id == Organisation.id, other.contact_phone.is_not(None))
        .scalar_subquery()
    )
    query = (
        db.select(Organisation.id, Site.contact_phone)
        .join(Site, Site.id == first)
        .where(Organisation.id.in_(organisation_ids))
    )
    return {row.id: row.contact_phone for row in db.session.execute(query)}


_WITH_OWNER = db.select(Reservation).options(
    joinedload(Reservation.studio).joinedload(Studio.site),
    joinedload(Reservation.conference).joinedload(Conference.organisation),
    joinedload(Reservation.waiting_request).joinedload(WaitingRequest.organisation),
)
_PARTIES = selectinload(Conference.parties)
_STUDIO = _PARTIES.joinedload(Party.reservation).joinedload(Reservation.studio)
LISTED = (
    joinedload(Conference.organisation),
    _PARTIES.joinedload(Party.organisation),
    _STUDIO.joinedload(Studio.site),
)
_WHOLE = (
    joinedload(Conference.organisation),
    joinedload(Conference.organiser),
    joinedload(Conference.series),
    _PARTIES.joinedload(Party.organisation),
    _STUDIO.joinedload(Studio.site).joinedload(Site.organisation),
    _STUDIO.joinedload(Studio.endpoint),
)
