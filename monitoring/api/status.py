"""How the studios are, what was found before conferences, and what happened to the equipment."""

from datetime import datetime, timedelta
from typing import Annotated

import sqlalchemy as sa
from flask import Blueprint
from flask_babel import gettext as _
from pydantic import Field

from accounts.permissions import EVERY_ROLE, access
from accounts.rules import Scope
from api.answers import Answer
from api.endpoint import PREFIX, endpoint
from api.idempotency import once
from api.values import AnswerModel, Instant, RequestModel
from config import settings
from errors import Forbidden, NotFound
from models import Conference, Event, Health, Light, Preflight, Studio, database_now, db
from monitoring import incidents
from monitoring.preflight_rules import Check, Result
from monitoring.present import Filter, Standing, standings
from monitoring.statuses import want
from studios.booking.api.asked import Code, Name
from studios.inventory.wording import cause_word

blueprint = Blueprint("monitoring_status", __name__, url_prefix=PREFIX)

Names = Annotated[list[Name], Field(max_length=50)]
AHEAD = timedelta(hours=1)


class StatusQuery(RequestModel):
    region: Names = Field(default=[])
    organisation: Names = Field(default=[])
    site: Names = Field(default=[])
    vendor: Names = Field(default=[])
    state: Annotated[list[Health], Field(max_length=6)] = Field(default=[])


class StudioStatusAnswer(AnswerModel):
    """`since` when it has this state, null where nobody knows; `cause` a fixed word and `fault` the same in the
    language that is asked for, both empty where all is well; `age_seconds` of what is told, null where it was never
    polled."""

    code: str
    name: str
    site: str
    organisation: str
    region: str
    vendor: str | None
    model: str | None
    state: Health
    since: Instant | None
    cause: str
    fault: str
    polled_at: Instant | None
    age_seconds: float | None
    in_call: bool
    peer: str | None
    round_trip_ms: float | None
    loss_percent: float | None
    jitter_ms: float | None


class StatusAnswer(AnswerModel):
    at: Instant
    studios: list[StudioStatusAnswer]


class PreflightsQuery(RequestModel):
    reference: Annotated[str, Field(max_length=20, pattern=r"^[A-Za-z0-9-]+$")] | None = None
    light: Annotated[list[Light], Field(max_length=3)] = Field(default=[])


class PreflightAnswer(AnswerModel):
    """A studio looked at so many `minutes` before its conference."""

    reference: str
    start: Instant
    studio: str
    minutes: int
    checked_at: Instant
    light: Light
    checks: dict[Check, Result]


class PreflightsAnswer(AnswerModel):
    preflights: list[PreflightAnswer]


class EventsQuery(RequestModel):
    studio: Code | None = None
    since: Instant | None = Field(None, alias="from")
    limit: Annotated[int, Field(ge=1, le=500)] = 100


class EquipmentEventAnswer(AnswerModel):
    """`kind` a fixed word such as studio.down; `details` what more is known, such as its cause."""

    at: Instant
    kind: str
    studio: str | None
    incident: int | None
    cause: str


class EquipmentEventsAnswer(AnswerModel):
    events: list[EquipmentEventAnswer]


@endpoint(
    blueprint, "GET", "/status", summary="How the studios are", scope=Scope.READ, roles=EVERY_ROLE, query=StatusQuery,
    answers={200: StatusAnswer},
)  # fmt: skip
def status(query: StatusQuery) -> Answer:
    """All studios in use, by code, or those that fit every filter; of several values of one filter one must fit. What
    is older than the installation allows is unknown, whatever it was."""
    now = database_now()
    wanted = Filter(query.region, query.organisation, query.site, query.vendor, query.state)
    found = standings(now, timedelta(seconds=settings().stale_after), wanted)
    return Answer(StatusAnswer(at=now, studios=[_told(one, now) for one in found]))


@endpoint(
    blueprint, "GET", "/preflights", summary="Looks before conferences", scope=Scope.READ, roles=EVERY_ROLE,
    query=PreflightsQuery, answers={200: PreflightsAnswer},
)  # fmt: skip
def preflights(query: PreflightsQuery) -> Answer:
    """Of one conference, or of those that start within the next hour; by start, the latest look at a studio first."""
    now = database_now()
    which = (
        [Conference.id == (Conference.id_of(query.reference) or 0)]
        if query.reference is not None
        else [Conference.starts_at > now, Conference.starts_at <= now + AHEAD]
    )
    if query.light:
        which.append(Preflight.light.in_(query.light))
    rows = db.session.execute(
        sa.select(Preflight, Conference.starts_at, Studio.code)
        .join(Conference, Conference.id == Preflight.conference_id)
        .join(Studio, Studio.id == Preflight.studio_id)
        .where(*which)
        .order_by(Conference.starts_at, Conference.id, Studio.code, Preflight.minutes)
    )
    return Answer(PreflightsAnswer(preflights=[_look(row, start, code) for row, start, code in rows]))


@endpoint(
    blueprint, "GET", "/events", summary="What happened to the equipment", scope=Scope.READ, roles=EVERY_ROLE,
    query=EventsQuery, answers={200: EquipmentEventsAnswer},
)  # fmt: skip
def events(query: EventsQuery) -> Answer:
    """The newest first: changes of health, traps, looks that failed, and what was done about incidents."""
    wanted = sa.select(Event, Studio.code).outerjoin(Studio, Studio.id == Event.studio_id)
    wanted = wanted.where(sa.or_(Event.kind.like("studio.%"), Event.kind.like("incident.%")))
    if query.studio is not None:
        wanted = wanted.where(Studio.code == query.studio)
    if query.since is not None:
        wanted = wanted.where(Event.at >= query.since)
    rows = db.session.execute(wanted.order_by(Event.at.desc(), Event.id.desc()).limit(query.limit))
    return Answer(EquipmentEventsAnswer(events=[_event(row, code) for row, code in rows]))


@endpoint(
    blueprint, "POST", "/status/<code>/poll", summary="Ask a studio's equipment now", scope=Scope.OPERATE,
    roles=incidents.WORKERS, answers={202: None}, idempotent=True,
)  # fmt: skip
def poll(code: str) -> Answer:
    """Its monitor asks within seconds, and not at its next turn; what it finds stands at /status."""

    def work() -> Answer:
        studio = db.session.scalar(db.select(Studio).where(Studio.code == code, Studio.retired_at.is_(None)))
        if studio is None or studio.endpoint is None:
            raise NotFound(_("There is no studio with the code %(code)s.", code=code[:40]))
        if not access().covers(studio.site.organisation_id, *incidents.WORKERS):
            raise Forbidden(_("Only those who look after the studios of this organisation can have them asked."))
        want([studio.endpoint.id])
        return Answer(None, 202)

    return once(work)


def _told(one: Standing, now: datetime) -> StudioStatusAnswer:
    return StudioStatusAnswer(
        code=one.code,
        name=one.name,
        site=one.site,
        organisation=one.organisation,
        region=one.region,
        vendor=one.vendor or None,
        model=one.model or None,
        state=one.state,
        since=one.since,
        cause=one.cause,
        fault=cause_word(one.cause),
        polled_at=one.polled_at,
        age_seconds=round(max(0.0, (now - one.polled_at).total_seconds()), 1) if one.polled_at else None,
        in_call=one.in_call,
        peer=one.peer or None,
        round_trip_ms=one.round_trip_ms,
        loss_percent=one.loss_percent,
        jitter_ms=one.jitter_ms,
    )


def _look(row: Preflight, start: datetime, code: str) -> PreflightAnswer:
    return PreflightAnswer(
        reference=Conference.reference_of(row.conference_id),
        start=start,
        studio=code,
        minutes=row.minutes,
        checked_at=row.checked_at,
        light=row.light,
        checks={Check(check): Result(result) for check, result in row.checks.items()},
    )


def _event(row: Event, code: str | None) -> EquipmentEventAnswer:
    cause = str((row.details or {}).get("cause") or "")
    return EquipmentEventAnswer(at=row.at, kind=row.kind, studio=code, incident=row.incident_id, cause=cause)
