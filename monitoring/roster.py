"""Reads for the monitor: the endpoints it has leased, what closes or books their studios, and whose calls moved."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask import current_app

from devices.xapi import Codec, Peripherals
from models import (
    Closure,
    ControlDriver,
    Credential,
    Endpoint,
    EndpointStatus,
    Health,
    Leg,
    Reservation,
    ReservationKind,
    SecretUnreadable,
    SnmpVersion,
    Studio,
    db,
)
from monitoring.profiles import Identity
from monitoring.rules import Cause, Patience, Pulse, Verdict, cause_of
from monitoring.snmp.engine import Target
from monitoring.watched import Equipment, Watched

DEFAULT_COMMUNITY = "public"
# Codecs of studios whose conference starts this soon are asked for their calls more often.
SOON = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Listed:
    """One leased endpoint as the tables have it; `status` has the columns of endpoint_status."""

    equipment: Equipment
    status: Any


@dataclass(frozen=True, slots=True)
class Roster:
    listed: list[Listed]
    closed_studios: frozenset[int]
    closed_sites: frozenset[int]
    booked_studios: frozenset[int]


# Columns and no objects: 900 rows are read every few seconds, and objects cost five times as much.
COLUMNS = (
    *(column for column in Endpoint.__table__.columns if column.name != "dial_address"),
    Studio.site_id,
    *(column for column in EndpointStatus.__table__.columns if column.name != "endpoint_id"),
)


def roster(worker: str, secrets: "Secrets", now: datetime) -> Roster:
    """All that this worker has to watch."""
    rows = db.session.execute(
        sa.select(*COLUMNS)
        .join_from(Endpoint, EndpointStatus, EndpointStatus.endpoint_id == Endpoint.id)
        .join(Studio, Studio.id == Endpoint.studio_id)
        .where(EndpointStatus.lease_owner == worker, Studio.retired_at.is_(None))
        .order_by(Endpoint.id)
    ).all()
    secrets.load()
    studios, sites = _closed(now)
    listed = [Listed(_equipment(row, secrets), row) for row in rows]
    return Roster(listed, studios, sites, _booked(now))


def others(worker: str, secrets: "Secrets") -> list[Equipment]:
    """All equipment that another monitor watches, or nobody at the moment; `secrets` are loaded."""
    rows = db.session.execute(
        sa.select(*COLUMNS)
        .join_from(Endpoint, EndpointStatus, EndpointStatus.endpoint_id == Endpoint.id)
        .join(Studio, Studio.id == Endpoint.studio_id)
        .where(EndpointStatus.lease_owner.is_distinct_from(worker), Studio.retired_at.is_(None))
    )
    return [_equipment(row, secrets) for row in rows]


def wanted(worker: str, since: datetime) -> dict[int, datetime]:
    """The endpoints of this worker that somebody wants polled: since when."""
    rows = db.session.execute(
        sa.select(EndpointStatus.endpoint_id, EndpointStatus.wanted_at).where(
            EndpointStatus.lease_owner == worker, EndpointStatus.wanted_at > since
        )
    )
    return {row.endpoint_id: row.wanted_at for row in rows}


def watched_from(listed: Listed, now: datetime, patience: Patience) -> Watched:
    """Carry on from the tables: another monitor, or this one before it was killed, may have watched before.

    What is still fresh has as long as any poll to be refreshed; after a gap it is unknown since the gap began.
    """
    status = listed.status
    polled_at = status.last_poll_at
    is_gap = polled_at is not None and now - polled_at > patience.stale
    pulse = Pulse(
        misses=status.misses,
        missed_since=now if status.misses else None,
        polled_at=polled_at,
        answered_at=status.last_answer_at,
        down=status.health is Health.DOWN,
        cause=cause_of(status.cause) if status.last_poll_at else Cause.NEVER_POLLED,
    )
    return Watched(
        equipment=listed.equipment,
        pulse=pulse,
        verdict=Verdict(status.health, cause_of(status.cause)),
        since=status.since,
        changed_at=status.changed_at,
        watched_since=polled_at if is_gap else now,
        patience=patience,
        round_trip_ms=status.round_trip_ms,
        uptime=status.uptime_seconds,
        in_call=status.in_call,
        call_peer=status.call_peer,
        calls_seen_at=status.calls_seen_at,
        control_fault=_control_fault(listed),
        peripherals=_peripherals(listed),
        registered=status.registered,
        unsupported=frozenset(status.unsupported or ()),
        probed_software=status.probed_software,
        due_at=status.due_at,
        wanted_at=status.wanted_at,
    )


def _control_fault(listed: Listed) -> Cause:
    """Else a monitor that starts again would find all well until it asks the codec."""
    cause = cause_of(listed.status.cause)
    return cause if listed.equipment.codec and cause in (Cause.CONTROL_SILENT, Cause.CONTROL_REFUSED) else Cause.NONE


def _peripherals(listed: Listed) -> Peripherals | None:
    stored = listed.status.peripherals
    if not stored or not listed.equipment.codec:
        return None
    return Peripherals(stored.get("cameras", {}), stored.get("microphones", {}))


def studios_with_moving_calls(since: datetime) -> list[tuple[int, int, datetime]]:
    """(leg, studio, when) for each studio of a conference one of whose legs changed: their codecs know more by now."""
    rows = db.session.execute(
        sa.select(Leg.id, Reservation.studio_id, Leg.changed_at)
        .join(Reservation, Reservation.conference_id == Leg.conference_id)
        .where(Leg.changed_at > since)
    )
    return [(row.id, row.studio_id, row.changed_at) for row in rows]


class Secrets:
    """The opened credentials; each is opened once, and again when it was set anew."""

    def __init__(self) -> None:
        self._opened: dict[int, tuple[tuple[str, str | None], Opened | None]] = {}
        self._credentials: dict[int, Credential] = {}

    def load(self) -> None:
        self._credentials = {credential.id: credential for credential in db.session.scalars(sa.select(Credential))}

    def username(self, credential_id: int) -> str:
        return self._credentials[credential_id].username

    def secret(self, credential_id: int) -> str | None:
        """The secret in the clear; None when it doesn't open with this installation's key."""
        opened = self.opened(credential_id)
        return opened.secret if opened else None

    def opened(self, credential_id: int) -> "Opened | None":
        credential = self._credentials[credential_id]
        sealed = (credential.sealed_secret, credential.sealed_privacy)
        known = self._opened.get(credential_id)
        if known is None or known[0] != sealed:
            known = sealed, _open(credential)
            self._opened[credential_id] = known
        return known[1]


@dataclass(frozen=True, slots=True)
class Opened:
    """A credential's secrets in the clear; `privacy` is SNMPv3's second one."""

    secret: str = field(repr=False)
    privacy: str | None = field(repr=False)


def _open(credential: Credential) -> Opened | None:
    try:
        return Opened(credential.open(), credential.open_privacy())
    except SecretUnreadable as error:
        current_app.logger.warning("%s", error)
        return None


def _equipment(endpoint: Any, secrets: Secrets) -> Equipment:
    target, trouble = _target(endpoint, secrets)
    return Equipment(
        endpoint_id=endpoint.id,
        studio_id=endpoint.studio_id,
        site_id=endpoint.site_id,
        target=target,
        codec=_codec(endpoint, secrets),
        identity=Identity(endpoint.vendor, endpoint.model, endpoint.serial, endpoint.software),
        trouble=trouble,
    )


def _target(endpoint: Any, secrets: Secrets) -> tuple[Target | None, Cause]:
    """Whom to ask, and why that can't be done where it can't. Only version 2c has anything to say to everybody."""
    if not endpoint.snmp_host:
        return None, Cause.NONE
    bare = Target(endpoint.id, endpoint.snmp_host, endpoint.snmp_port, str(endpoint.snmp_version), DEFAULT_COMMUNITY)
    secure = endpoint.snmp_version is SnmpVersion.V3
    if endpoint.snmp_credential_id is None:
        return bare, Cause.SNMP_CREDENTIAL if secure else Cause.NONE
    opened = secrets.opened(endpoint.snmp_credential_id)
    if opened is None:
        return replace(bare, community=""), Cause.CREDENTIAL
    if secure is not bool(opened.privacy):
        return bare, Cause.SNMP_CREDENTIAL  # not even tried: an SNMPv3 key sent as a community is a key for everybody
    if not secure:
        return replace(bare, community=opened.secret), Cause.NONE
    user = secrets.username(endpoint.snmp_credential_id)
    if not user:
        return bare, Cause.SNMP_CREDENTIAL
    return replace(bare, user=user, auth=opened.secret, priv=opened.privacy or ""), Cause.NONE


def _codec(endpoint: Any, secrets: Secrets) -> Codec | None:
    """None also where the password can't be opened: a wrong one, sent each minute, would lock the account."""
    if endpoint.control_driver is not ControlDriver.CISCO_XAPI or not endpoint.control_url:
        return None
    if endpoint.control_credential_id is None:
        return Codec(endpoint.control_url, "", "")
    secret = secrets.secret(endpoint.control_credential_id)
    if secret is None:
        return None
    return Codec(endpoint.control_url, secrets.username(endpoint.control_credential_id), secret)


def _closed(now: datetime) -> tuple[frozenset[int], frozenset[int]]:
    rows = db.session.execute(
        sa.select(Closure.studio_id, Closure.site_id).where(Closure.starts_at <= now, Closure.ends_at > now)
    ).all()
    return frozenset(row[0] for row in rows if row[0]), frozenset(row[1] for row in rows if row[1])


def _booked(now: datetime) -> frozenset[int]:
    """Studios whose conference runs or starts soon."""
    return frozenset(
        db.session.scalars(
            sa.select(Reservation.studio_id).where(
                Reservation.kind == ReservationKind.CONFERENCE,
                Reservation.released_at.is_(None),
                Reservation.starts_at < now + SOON,
                Reservation.ends_at > now,
            )
        )
    )
