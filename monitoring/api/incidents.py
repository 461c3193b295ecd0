"""Incidents: which there are, the most urgent first, and what people do about them."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any

from flask import Blueprint
from flask_babel import gettext as _
from pydantic import Field

from accounts.permissions import EVERY_ROLE, access
from accounts.rules import Scope
from api.answers import Answer
from api.endpoint import PREFIX, endpoint
from api.values import AnswerModel, Instant, PlainText, RequestModel
from errors import Forbidden, Invalid
from models import Account, Incident, Severity, database_now, db
from monitoring import incidents
from monitoring.incident_reads import Sought, cases, events_of, incident_at
from monitoring.threats import Threat, priority_of, threats_of
from studios.booking.api.refusing import done
from studios.booking.api.rights import person
from studios.booking.api.told import ConflictAnswer
from studios.inventory.wording import cause_word

blueprint = Blueprint("incidents", __name__, url_prefix=f"{PREFIX}/incidents")

LONGEST_EMAIL = 254


class IncidentsQuery(RequestModel):
    """Without `resolved` only what is open."""

    resolved: bool = False
    severity: Annotated[list[Severity], Field(max_length=3)] = Field(default=[])


class NoteRequest(RequestModel):
    text: Annotated[PlainText, Field(max_length=incidents.LONGEST_NOTE)]


class AssignRequest(RequestModel):
    """By the e-mail address of the account."""

    account: Annotated[PlainText, Field(max_length=LONGEST_EMAIL)]


class HitAnswer(AnswerModel):
    """A conference of the next 24 hours that the fault hits, with its studio there."""

    reference: str
    start: Instant
    studio: str
    parties: int


class IncidentAnswer(AnswerModel):
    """`studio` by its code, null where a whole site is out of contact. `times`: how often the fault came. `priority` 0:
    it hits no conference within 24 hours. `conferences`: those that it hits, by start."""

    id: int
    studio: str | None
    site: str
    region: str
    cause: str
    fault: str
    severity: Severity
    opened_at: Instant
    times: int
    quiet_since: Instant | None
    acknowledged_at: Instant | None
    acknowledged_by: str | None
    assigned_to: str | None
    resolved_at: Instant | None
    priority: float
    conferences: list[HitAnswer]


class IncidentEventAnswer(AnswerModel):
    """`kind`: a fixed word such as incident.acknowledged; `who`: the person, or those who were told."""

    at: Instant
    kind: str
    who: list[str]
    text: str


class WholeIncidentAnswer(IncidentAnswer):
    events: list[IncidentEventAnswer]


class IncidentsAnswer(AnswerModel):
    incidents: list[IncidentAnswer]


@endpoint(
    blueprint, "GET", "", summary="List incidents", scope=Scope.READ, roles=EVERY_ROLE, query=IncidentsQuery,
    answers={200: IncidentsAnswer},
)  # fmt: skip
def listed(query: IncidentsQuery) -> Answer:
    """The most urgent first; with `resolved` the last two hundred that are over, newest first."""
    now = database_now()
    found = cases(Sought(query.resolved, query.severity), now)
    return Answer(IncidentsAnswer(incidents=[IncidentAnswer(**_facts(one.incident, one.hit, now)) for one in found]))


@endpoint(
    blueprint, "GET", "/<int:number>", summary="One incident", scope=Scope.READ, roles=EVERY_ROLE,
    answers={200: WholeIncidentAnswer},
)  # fmt: skip
def one(number: int) -> Answer:
    """With all that happened to it, the newest first."""
    return Answer(_told(incident_at(number)))


@endpoint(
    blueprint, "POST", "/<int:number>/acknowledge", summary="Take an incident", scope=Scope.OPERATE,
    roles=incidents.WORKERS, answers={200: WholeIncidentAnswer, 409: ConflictAnswer}, idempotent=True,
)  # fmt: skip
def acknowledge(number: int) -> Answer:
    """Somebody works on it: nobody else on the on-call list is told any more."""
    return _done(number, lambda: incidents.acknowledge(number, person()))


@endpoint(
    blueprint, "POST", "/<int:number>/assign", summary="Give an incident to somebody", scope=Scope.OPERATE,
    roles=incidents.WORKERS, body=AssignRequest, answers={200: WholeIncidentAnswer, 409: ConflictAnswer},
    idempotent=True,
)  # fmt: skip
def assign(number: int, body: AssignRequest) -> Answer:
    """To a technician or an administrator."""
    return _done(number, lambda: incidents.assign(number, _account(body.account).id, person()))


@endpoint(
    blueprint, "POST", "/<int:number>/notes", summary="Note what was found", scope=Scope.OPERATE,
    roles=incidents.WORKERS, body=NoteRequest, answers={200: WholeIncidentAnswer, 409: ConflictAnswer},
    idempotent=True,
)  # fmt: skip
def note(number: int, body: NoteRequest) -> Answer:
    """For whoever works on it next; no persons' names and nothing of patients."""
    return _done(number, lambda: incidents.note(number, body.text, person()))


@endpoint(
    blueprint, "POST", "/<int:number>/resolve", summary="Resolve an incident", scope=Scope.OPERATE,
    roles=incidents.WORKERS, answers={200: WholeIncidentAnswer, 409: ConflictAnswer}, idempotent=True,
)  # fmt: skip
def resolve(number: int) -> Answer:
    """Only where the fault is gone; it is also resolved by itself when that has lasted five minutes."""
    return _done(number, lambda: incidents.resolve(number, person()))


@endpoint(
    blueprint, "POST", "/<int:number>/reopen", summary="Open an incident again", scope=Scope.OPERATE,
    roles=incidents.WORKERS, answers={200: WholeIncidentAnswer, 409: ConflictAnswer}, idempotent=True,
)  # fmt: skip
def reopen(number: int) -> Answer:
    """Where somebody knows that it is not over."""
    return _done(number, lambda: incidents.reopen(number, person()))


def _done(number: int, work: Callable[[], Incident]) -> Answer:
    def change() -> Answer:
        _check_right(incident_at(number))
        work()
        db.session.flush()
        return Answer(_told(incident_at(number)))

    return done(change)


def _check_right(incident: Incident) -> None:
    if not access().covers(incident.where.organisation_id, *incidents.WORKERS):
        raise Forbidden(_("Only those who look after the studios of this organisation work on its incidents."))


def _account(email: str) -> Account:
    found = db.session.scalar(db.select(Account).where(Account.email == email.strip().lower()))
    if found is None:
        raise Invalid(_("Nobody has this address."), "account")
    return found


def _told(incident: Incident) -> WholeIncidentAnswer:
    now = database_now()
    events = [
        IncidentEventAnswer(
            at=event.at,
            kind=event.kind,
            who=[event.account.name] if event.account else list(event.details.get("told", [])),
            text=str(
                event.details.get("text") or event.details.get("to") or cause_word(event.details.get("cause", ""))
            ),
        )
        for event in events_of(incident)
    ]
    return WholeIncidentAnswer(**_facts(incident, threats_of([incident], now)[incident.id], now), events=events)


def _facts(incident: Incident, hit: Sequence[Threat], now: datetime) -> dict[str, Any]:
    site = incident.where
    return {
        "id": incident.id,
        "studio": incident.studio.code if incident.studio else None,
        "site": site.name,
        "region": site.health_region,
        "cause": incident.cause,
        "fault": cause_word(incident.cause),
        "severity": incident.severity,
        "opened_at": incident.opened_at,
        "times": incident.times,
        "quiet_since": incident.quiet_since,
        "acknowledged_at": incident.acknowledged_at,
        "acknowledged_by": incident.acknowledged_by.name if incident.acknowledged_by else None,
        "assigned_to": incident.assigned_to.name if incident.assigned_to else None,
        "resolved_at": incident.resolved_at,
        "priority": round(priority_of(incident, hit, now), 3) if incident.resolved_at is None else 0.0,
        "conferences": [
            {"reference": each.reference, "start": each.starts_at, "studio": each.code, "parties": each.parties}
            for each in hit
        ],
    }
