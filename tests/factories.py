"""Rows with defaults, so that a test states only what matters to it. Each is committed before it is returned."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, TypeVar

from accounts.rules import Scope
from accounts.tokens import create_token
from models import (
    Account,
    Conference,
    ControlDriver,
    Credential,
    Endpoint,
    EndpointStatus,
    Organisation,
    OrganisationKind,
    Party,
    Purpose,
    Reservation,
    Role,
    RoleGrant,
    Site,
    Studio,
    db,
    write,
)

START = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
_numbers = count(1)

T = TypeVar("T")


def _kept(row: T) -> T:
    db.session.add(row)
    db.session.commit()
    return row


def organisation(name: str | None = None, **changes: Any) -> Organisation:
    values: dict[str, Any] = {"kind": OrganisationKind.HEALTH_TRUST, "health_region": "Nord"}
    return _kept(Organisation(name=name or f"Organisation {next(_numbers)}", **{**values, **changes}))


def site(organisation: Organisation | None = None, **changes: Any) -> Site:
    number = next(_numbers)
    values: dict[str, Any] = {
        "name": f"Site {number}",
        "town": "Tromsø",
        "municipality": "Tromsø",
        "county": "Troms",
        "health_region": "Nord",
        "latitude": 69.65,
        "longitude": 18.96,
        "contact_name": "Studiokontakt",
        "contact_phone": "77 00 00 01",
    }
    owner = organisation or globals()["organisation"]()
    return _kept(Site(organisation_id=owner.id, **{**values, **changes}))


def studio(site: Site | None = None, **changes: Any) -> Studio:
    number = next(_numbers)
    values: dict[str, Any] = {"code": f"S-{number}", "name": f"Studio {number}", "capacity": 8, "equipment": []}
    place = site or globals()["site"]()
    return _kept(Studio(site_id=place.id, **{**values, **changes}))


def credential(
    name: str = "codec", username: str = "admin", secret: str = "secret", privacy: str | None = None
) -> Credential:
    row = Credential(name=name, username=username, changed_at=datetime.now(UTC))
    row.seal(secret)
    row.seal_privacy(privacy)
    return _kept(row)


def endpoint(studio: Studio, address: str = "127.0.0.1", **changes: Any) -> Endpoint:
    values: dict[str, Any] = {
        "dial_address": f"sip:{studio.code.lower()}@{address}",
        "control_driver": ControlDriver.CISCO_XAPI,
        "control_url": f"http://{address}:8080",
        "snmp_host": address,
        "snmp_port": 1161,
    }
    row = _kept(Endpoint(studio_id=studio.id, **{**values, **changes}))
    now = datetime.now(UTC)
    _kept(EndpointStatus(endpoint_id=row.id, since=now, changed_at=now))
    return row


def account(
    email: str | None = None,
    role: Role | None = Role.COORDINATOR,
    organisation: Organisation | None = None,
    **changes: Any,
) -> Account:
    """An account with no password of its own; `role` is granted for `organisation`, or for all when none is named."""
    now = datetime.now(UTC)
    row = _kept(
        Account(
            **{
                "email": email or f"person{next(_numbers)}@example.org",
                "name": "Person",
                "password_hash": "none",
                "created_at": now,
                **changes,
            }
        )
    )
    if role is not None:
        owner_id = organisation.id if organisation else None
        _kept(RoleGrant(account_id=row.id, role=role, organisation_id=owner_id, granted_at=now))
    return row


def grant(account: Account, organisation: Organisation, role: Role = Role.COORDINATOR) -> RoleGrant:
    return _kept(
        RoleGrant(account_id=account.id, role=role, organisation_id=organisation.id, granted_at=datetime.now(UTC))
    )


def conference(*studios: Studio, start: datetime = START, end: datetime | None = None, **changes: Any) -> Conference:
    """A planned conference of these studios, the first its host, with their reservations."""
    ends_at = end or start + timedelta(hours=1)
    values: dict[str, Any] = {
        "title": "Lung meeting",
        "purpose": Purpose.CLINICAL,
        "organisation_id": studios[0].site.organisation_id,
        "created_at": datetime.now(UTC),
        "due_at": start,
    }
    row = _kept(Conference(starts_at=start, ends_at=ends_at, **{**values, **changes}))
    for position, studio in enumerate(studios):
        held = Reservation(studio_id=studio.id, conference_id=row.id, starts_at=start, ends_at=ends_at)
        _kept(
            Party(
                conference_id=row.id,
                position=position,
                studio_id=studio.id,
                host=position == 0,
                organisation_id=studio.site.organisation_id,
                reservation_id=_kept(held).id,
            )
        )
    return row


def token(
    account: Account, *scopes: Scope, lifetime: timedelta = timedelta(days=1), now: datetime | None = None
) -> dict[str, str]:
    """The header with which a program acts for the account."""
    secret = write(lambda: create_token(account, "a program", scopes or list(Scope), lifetime, now)[1])
    return {"Authorization": f"Bearer {secret}"}
