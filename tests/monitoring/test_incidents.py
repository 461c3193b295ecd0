"""Incidents on real databases: kept by what health tells, worked on by people, told to those on call."""

import json
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from errors import Conflict, Invalid, NotFound
from models import (
    Account,
    AuditEntry,
    Closure,
    Endpoint,
    EndpointStatus,
    Event,
    Health,
    Incident,
    Message,
    OnCall,
    Purpose,
    Role,
    Severity,
    Site,
    StatusChange,
    Studio,
    db,
    write,
)
from monitoring.incident_rules import CALM, SAME_AGAIN, WAIT
from monitoring.incidents import acknowledge, assign, keep, note, reopen, resolve
from monitoring.rules import Cause
from monitoring.telling import to_escalate
from monitoring.threats import ranked, threats_of
from tests import factories

NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
pytestmark = pytest.mark.usefixtures("app")


def a_studio(site: Site | None = None, **changes: object) -> Studio:
    studio = factories.studio(site, **changes)
    factories.endpoint(studio)
    becomes(studio, Health.OK)
    return studio


def becomes(studio: Studio, health: Health, cause: Cause = Cause.NONE, at: datetime = NOW) -> None:
    """As the monitor stores it."""
    endpoint_id = db.session.scalar(sa.select(Endpoint.id).where(Endpoint.studio_id == studio.id))
    row = db.session.get_one(EndpointStatus, endpoint_id)
    change = StatusChange(endpoint_id=endpoint_id, at=at, from_health=row.health, to_health=health, cause=cause)
    db.session.add(change)
    row.health, row.cause, row.since = health, cause, at
    db.session.commit()


def goes_down(studio: Studio, at: datetime = NOW) -> None:
    becomes(studio, Health.DOWN, Cause.NO_ANSWER, at)


def kept(now: datetime) -> list[Incident]:
    write(lambda: keep(now))
    return list(db.session.scalars(sa.select(Incident).order_by(Incident.id)))


def open_incident(studio: Studio | None = None) -> Incident:
    goes_down(studio or a_studio())
    [incident] = kept(NOW + WAIT)
    return incident


def told(incident: Incident) -> list[tuple[str, str]]:
    rows = db.session.scalars(sa.select(Event).where(Event.incident_id == incident.id).order_by(Event.id))
    return [(row.kind, str(row.details.get("cause", ""))) for row in rows]


def on_call(level: int = 1, **changes: object) -> Account:
    person = factories.account(role=Role.TECHNICIAN, language="en")
    row = OnCall(level=level, account_id=person.id, starts_at=NOW - timedelta(days=1), **changes)
    db.session.add(row)
    db.session.commit()
    return person


def mails(to: Account) -> list[str]:
    return list(
        db.session.scalars(sa.select(Message.subject).where(Message.recipient == to.email).order_by(Message.id))
    )


def test_a_studio_that_stays_down_is_one_incident_until_it_has_stayed_well() -> None:
    studio = a_studio()
    goes_down(studio)
    assert kept(NOW + WAIT - MINUTE / 60) == []
    [incident] = kept(NOW + WAIT)
    assert (incident.studio_id, incident.severity, incident.cause) == (studio.id, Severity.CRITICAL, "no-answer")
    assert kept(NOW + MINUTE) == [incident]
    becomes(studio, Health.OK, at=NOW + MINUTE)
    [incident] = kept(NOW + MINUTE)
    assert incident.quiet_since is not None
    assert incident.resolved_at is None
    [incident] = kept(NOW + MINUTE + CALM)
    assert incident.resolved_at == NOW + MINUTE + CALM
    assert told(incident) == [("incident.opened", "no-answer"), ("incident.resolved", "")]


def test_a_fault_that_comes_and_goes_is_one_incident_with_a_count() -> None:
    studio = a_studio()
    at = NOW
    for _ in range(4):
        goes_down(studio, at)
        kept(at + WAIT)
        becomes(studio, Health.OK, at=at + MINUTE)
        kept(at + MINUTE)
        at += 2 * MINUTE
    [incident] = kept(at)
    assert incident.times == 4
    assert incident.resolved_at is None


def test_what_comes_back_soon_after_it_was_resolved_is_opened_again_and_nobody_has_it_any_more() -> None:
    incident = open_incident()
    person = factories.account(role=Role.TECHNICIAN)
    write(lambda: acknowledge(incident.id, person))
    assert incident.studio is not None
    becomes(incident.studio, Health.OK, at=NOW + MINUTE)
    kept(NOW + MINUTE)
    kept(NOW + MINUTE + CALM)
    goes_down(incident.studio, NOW + 10 * MINUTE)
    [again] = kept(NOW + 11 * MINUTE)
    assert (again.id, again.times, again.acknowledged_at, again.resolved_at) == (incident.id, 2, None, None)


def test_two_studios_of_a_silent_site_raise_nothing_of_their_own() -> None:
    site = factories.site(name="Tromsø")
    studios = [a_studio(site) for _ in range(4)]
    for number, studio in enumerate(studios[:3]):
        goes_down(studio, NOW + timedelta(seconds=number))
    [incident] = kept(NOW + timedelta(seconds=5))
    assert (incident.site_id, incident.studio_id, incident.severity) == (site.id, None, Severity.CRITICAL)
    assert kept(NOW + 10 * MINUTE) == [incident]
    for studio in studios[:2]:
        becomes(studio, Health.OK, at=NOW + 10 * MINUTE)
    becomes(studios[2], Health.DOWN, Cause.NO_ANSWER, NOW + 10 * MINUTE)
    outage, single = kept(NOW + 10 * MINUTE + WAIT)
    assert outage.quiet_since is not None
    assert single.studio_id == studios[2].id


def test_a_closed_studio_raises_nothing() -> None:
    studio = a_studio()
    becomes(studio, Health.MAINTENANCE, Cause.CLOSURE)
    assert kept(NOW + timedelta(hours=1)) == []


def test_the_database_keeps_one_open_incident_of_a_place() -> None:
    studio = open_incident().studio
    assert studio is not None
    second = Incident(studio_id=studio.id, cause="camera", severity=Severity.MAJOR, opened_at=NOW)
    with pytest.raises(sa.exc.IntegrityError):
        write(lambda: db.session.add(second))


# People


def test_taken_assigned_noted_resolved_and_opened_again() -> None:
    incident = open_incident()
    key = incident.id
    person, other = factories.account(role=Role.TECHNICIAN, name="Kari"), factories.account(role=Role.TECHNICIAN)
    write(lambda: acknowledge(key, person))
    assert (incident.acknowledged_by_id, incident.assigned_to_id) == (person.id, person.id)
    with pytest.raises(Conflict, match="Kari has taken"):
        write(lambda: acknowledge(key, other))
    write(lambda: assign(key, other.id, person))
    write(lambda: note(key, " The codec has no power. ", other))
    with pytest.raises(Conflict, match="still there"):
        write(lambda: resolve(key, other))
    assert incident.studio is not None
    becomes(incident.studio, Health.OK)
    write(lambda: resolve(key, other))
    with pytest.raises(Conflict, match="resolved"):
        write(lambda: acknowledge(key, other))
    write(lambda: reopen(key, person))
    assert db.session.get_one(Incident, key).resolved_at is None
    with pytest.raises(Conflict, match="is open"):
        write(lambda: reopen(key, person))
    kinds = [kind for kind, _ in told(incident)]
    assert kinds == [
        f"incident.{word}" for word in ("opened", "acknowledged", "assigned", "noted", "resolved", "reopened")
    ]
    audited = db.session.scalars(sa.select(AuditEntry.action).where(AuditEntry.object == f"incident {key}")).all()
    assert set(kinds) - set(audited) == {"incident.opened"}


def test_what_cannot_be_done_is_refused_in_a_sentence() -> None:
    incident, person = open_incident(), factories.account(role=Role.TECHNICIAN)
    coordinator = factories.account(role=Role.COORDINATOR)
    with pytest.raises(Invalid, match="Only technicians"):
        write(lambda: assign(incident.id, coordinator.id, person))
    with pytest.raises(Invalid, match="Write what"):
        write(lambda: note(incident.id, "  ", person))
    with pytest.raises(Invalid, match="at most"):
        write(lambda: note(incident.id, "a" * 501, person))
    with pytest.raises(NotFound):
        write(lambda: note(999, "a", person))


# Which comes first


def test_the_conferences_that_it_hits_decide_the_order() -> None:
    unused, booked, clinical = (a_studio() for _ in range(3))
    for studio in (unused, booked, clinical):
        goes_down(studio)
    soon = NOW + timedelta(minutes=20)
    factories.conference(booked, factories.studio(), start=soon, purpose=Purpose.ADMINISTRATION)
    hit = factories.conference(clinical, factories.studio(), start=soon)
    factories.conference(clinical, factories.studio(), start=NOW + timedelta(days=2))
    incidents = kept(NOW + WAIT)
    found = threats_of(incidents, NOW)
    assert [[each.reference for each in found[one.id]] for one in incidents][2] == [hit.reference]
    assert [one.studio_id for one in ranked(incidents, found, NOW)] == [clinical.id, booked.id, unused.id]


# Who is told


def test_those_on_call_are_told_step_by_step_until_somebody_takes_it() -> None:
    first, second, third = on_call(1), on_call(2), on_call(3)
    incident = open_incident()
    assert len(mails(first)) == 1
    assert "does not answer" in mails(first)[0]
    assert mails(second) == []
    opened = NOW + WAIT
    kept(opened + 15 * MINUTE - MINUTE / 60)
    assert mails(second) == []
    kept(opened + 15 * MINUTE)
    kept(opened + 16 * MINUTE)
    assert len(mails(second)) == 1
    write(lambda: acknowledge(incident.id, first))
    kept(opened + 60 * MINUTE)
    assert mails(third) == []


def test_the_end_is_told_to_those_who_were_told_of_it_and_to_nobody_else() -> None:
    first, second = on_call(1), on_call(2)
    incident = open_incident()
    assert incident.studio is not None
    becomes(incident.studio, Health.OK, at=NOW + MINUTE)
    kept(NOW + MINUTE)
    kept(NOW + MINUTE + CALM)
    assert [subject.startswith("Over") for subject in mails(first)] == [False, True]
    assert mails(second) == []


def test_no_end_is_told_of_what_was_never_told() -> None:
    incident = open_incident()
    person = on_call(1)
    assert incident.studio is not None
    becomes(incident.studio, Health.OK, at=NOW + MINUTE)
    kept(NOW + MINUTE)
    kept(NOW + MINUTE + CALM)
    assert mails(person) == []


def test_a_fault_of_quality_wakes_nobody() -> None:
    person = on_call(1)
    becomes(a_studio(), Health.DEGRADED, Cause.LOSS)
    assert len(kept(NOW + WAIT)) == 1
    assert mails(person) == []


def test_a_fault_that_becomes_grave_is_told_though_it_began_as_one_of_quality() -> None:
    person = on_call(1)
    studio = a_studio()
    becomes(studio, Health.DEGRADED, Cause.LOSS)
    kept(NOW + WAIT)
    assert mails(person) == []
    goes_down(studio, NOW + MINUTE)
    kept(NOW + MINUTE)
    kept(NOW + 2 * MINUTE)
    assert len(mails(person)) == 1
    assert mails(person)[0].startswith("Critical")


def test_the_end_is_told_to_those_of_the_shift_that_was_told_of_the_beginning() -> None:
    night = on_call(1, ends_at=NOW + 2 * MINUTE)
    key = factories.credential("webhook")
    hook = OnCall(
        level=1, url="https://example.org/hook", credential_id=key.id, starts_at=NOW, ends_at=NOW + 2 * MINUTE
    )
    write(lambda: db.session.add(hook))
    incident = open_incident()
    day = on_call(1, ends_at=None)
    assert incident.studio is not None
    becomes(incident.studio, Health.OK, at=NOW + 3 * MINUTE)
    kept(NOW + 3 * MINUTE)
    kept(NOW + 3 * MINUTE + CALM)
    assert [subject.startswith("Over") for subject in mails(night)] == [False, True]
    assert mails(day) == []
    posted = db.session.scalars(sa.select(Message.subject).where(Message.recipient == hook.url).order_by(Message.id))
    assert list(posted) == ["opened", "resolved"]


def test_what_was_told_before_it_was_over_once_is_not_told_over_again() -> None:
    first = on_call(1, ends_at=NOW + 2 * MINUTE)
    incident = open_incident()
    studio = incident.studio
    assert studio is not None
    becomes(studio, Health.OK, at=NOW + MINUTE)
    kept(NOW + MINUTE)
    kept(NOW + MINUTE + CALM)
    second = on_call(1)
    again = NOW + 10 * MINUTE
    goes_down(studio, again)
    kept(again + WAIT)
    becomes(studio, Health.OK, at=again + MINUTE)
    kept(again + MINUTE)
    kept(again + MINUTE + CALM)
    assert (len(mails(first)), len(mails(second))) == (2, 2)


def test_nothing_is_to_be_told_until_it_is_time_and_once_all_levels_were() -> None:
    on_call(1)
    on_call(2)
    open_incident()
    opened = NOW + WAIT
    assert to_escalate(opened + 14 * MINUTE) == []
    assert len(to_escalate(opened + 15 * MINUTE)) == 1
    kept(opened + 15 * MINUTE)
    assert to_escalate(opened + 60 * MINUTE) == []


def test_nobody_is_told_more_while_somebody_works_there() -> None:
    on_call(1)
    second = on_call(2)
    incident = open_incident()
    closure = Closure(studio_id=incident.studio_id, starts_at=NOW, ends_at=NOW + timedelta(hours=2), reason="New codec")
    write(lambda: db.session.add(closure))
    kept(NOW + timedelta(hours=1))
    assert mails(second) == []
    kept(NOW + timedelta(hours=3))
    assert len(mails(second)) == 1


def test_a_level_at_which_nobody_is_on_call_now_is_passed_over() -> None:
    later = on_call(1, ends_at=NOW - MINUTE)
    now = on_call(2)
    open_incident()
    assert (len(mails(later)), len(mails(now))) == (0, 1)


def test_only_those_of_the_region_are_told() -> None:
    here, elsewhere = on_call(1, health_region="Nord"), on_call(1, health_region="Vest")
    open_incident()
    assert (len(mails(here)), len(mails(elsewhere))) == (1, 0)


def test_programs_are_posted_what_happened() -> None:
    key = factories.credential("webhook")
    url = "https://example.org/hook"
    row = OnCall(level=1, url=url, credential_id=key.id, starts_at=NOW - MINUTE)
    write(lambda: db.session.add(row))
    incident = open_incident()
    message = db.session.scalars(sa.select(Message).where(Message.recipient == url)).one()
    body = json.loads(message.body)
    assert (message.signed_with_id, body["event"], body["incident"]) == (key.id, "incident.opened", incident.id)
    assert incident.studio is not None
    assert body["studio"] == incident.studio.code


def test_nobody_is_told_twice_however_often_it_is_looked_at(app: Flask) -> None:
    person = on_call(1)
    open_incident()
    for seconds in range(40, 60):
        kept(NOW + timedelta(seconds=seconds))
    assert len(mails(person)) == 1


def test_it_may_come_back_so_late_that_it_is_a_new_one() -> None:
    incident = open_incident()
    assert incident.studio is not None
    becomes(incident.studio, Health.OK, at=NOW + MINUTE)
    kept(NOW + MINUTE)
    kept(NOW + MINUTE + CALM)
    later = NOW + MINUTE + CALM + SAME_AGAIN
    goes_down(incident.studio, later)
    assert len(kept(later + WAIT)) == 2
