"""Which studios and bridges of the inventory the fleet can stand in for: those that have a loopback address."""

import ipaddress
import zlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from models import (
    Bridge,
    BridgeDriver,
    ControlDriver,
    Credential,
    Endpoint,
    Reservation,
    ReservationKind,
    SecretUnreadable,
    SnmpVersion,
    Studio,
    db,
)
from simulation.bridge import BridgeSpec
from simulation.fleet import Spec
from simulation.sip_messages import read_uri
from simulation.sockets import FleetError
from simulation.studio import Kind, SnmpUser, StudioSpec

# The credential of the codecs that the demonstration invented.
DEMONSTRATION = "demo-codec"
SOON = timedelta(hours=1)
_BRIDGES = (
    sa.select(Bridge)
    .where(Bridge.retired_at.is_(None), Bridge.driver == BridgeDriver.PEXIP)
    .options(joinedload(Bridge.control_credential))
    .order_by(Bridge.name)
)


@dataclass(frozen=True, slots=True)
class Inventory:
    """`skipped` studios have equipment elsewhere, or none."""

    studios: list[StudioSpec]
    bridges: list[BridgeSpec]
    skipped: int

    @property
    def specs(self) -> list[Spec]:
        return [*self.studios, *self.bridges]


@dataclass(frozen=True, slots=True)
class Opened:
    """A credential in the clear; `privacy` is what encrypts in SNMPv3."""

    username: str = ""
    secret: str = field(default="", repr=False)
    privacy: str = field(default="", repr=False)


class Secrets:
    """Opens each credential once; thousands of endpoints share a few."""

    def __init__(self) -> None:
        self._opened: dict[int, Opened] = {}

    def open(self, credential: Credential | None) -> Opened:
        if credential is None:
            return Opened()
        if credential.id not in self._opened:
            privacy = credential.open_privacy() or ""
            self._opened[credential.id] = Opened(credential.username, credential.open(), privacy)
        return self._opened[credential.id]


def read_inventory() -> Inventory:
    """The studios in use, by code, and the bridges. `FleetError` when the database or a secret cannot be read."""
    wanted = (
        sa.select(Studio)
        .where(Studio.retired_at.is_(None))
        .options(
            joinedload(Studio.site),
            joinedload(Studio.endpoint).joinedload(Endpoint.control_credential),
            joinedload(Studio.endpoint).joinedload(Endpoint.snmp_credential),
        )
        .order_by(Studio.code)
    )
    try:
        studios = list(db.session.scalars(wanted))
        secrets = Secrets()
        specs = [spec_of(studio, secrets) for studio in studios]
        bridges = [bridge_spec_of(bridge, secrets) for bridge in db.session.scalars(_BRIDGES)]
    except SecretUnreadable as error:
        raise FleetError(str(error)) from None
    except sa.exc.SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise FleetError(f"The inventory cannot be read: {reason}. Was `studionett db upgrade` run?") from None
    found = [spec for spec in specs if spec]
    return Inventory(found, [spec for spec in bridges if spec], len(specs) - len(found))


def booked_soon(now: datetime) -> frozenset[str]:
    """The codes of the studios whose conference runs or begins within the hour."""
    wanted = (
        sa.select(Studio.code)
        .join(Reservation, Reservation.studio_id == Studio.id)
        .where(
            Reservation.kind == ReservationKind.CONFERENCE,
            Reservation.released_at.is_(None),
            Reservation.starts_at < now + SOON,
            Reservation.ends_at > now,
        )
    )
    return frozenset(db.session.scalars(wanted))


def spec_of(studio: Studio, secrets: Secrets) -> StudioSpec | None:
    """What to serve for a studio: of its services, those on one loopback address. None: there are none."""
    endpoint = studio.endpoint
    if endpoint is None:
        return None
    dial = read_uri(endpoint.dial_address)
    sip = (dial.host, dial.port) if dial else ("", 0)
    is_cisco = endpoint.control_driver is ControlDriver.CISCO_XAPI
    http = _plain_http(endpoint.control_url or "") if is_cisco else ("", 0)
    snmp = (endpoint.snmp_host or "", endpoint.snmp_port)
    address = next((host for host, port in (sip, http, snmp) if port and _is_loopback(host)), None)
    if address is None:
        return None
    control, reader = secrets.open(endpoint.control_credential), secrets.open(endpoint.snmp_credential)
    is_v3 = endpoint.snmp_version is SnmpVersion.V3
    return StudioSpec(
        code=studio.code,
        name=studio.name,
        address=address,
        http_port=_port_on(address, http),
        sip_port=_port_on(address, sip),
        snmp_port=_port_on(address, snmp),
        username=control.username,
        password=control.secret,
        community="" if is_v3 else reader.secret or "public",
        snmp_user=SnmpUser(reader.username, reader.secret, reader.privacy) if is_v3 else None,
        serial=endpoint.serial or f"FTT{zlib.crc32(studio.code.encode()) % 10**8:08d}",
        site=studio.site.name,
        location=f"{studio.site.name}, {studio.site.town}",
        sip_user=dial.user if dial else "",
        kind=_kind_of(endpoint),
        invented=endpoint.control_credential is not None and endpoint.control_credential.name == DEMONSTRATION,
    )


def _kind_of(endpoint: Endpoint) -> Kind:
    """By vendor and model, as the inventory has them."""
    model = (endpoint.model or "").upper()
    if endpoint.vendor == "Poly":
        return Kind.POLY_HDX if "HDX" in model else Kind.POLY_GROUP
    return Kind.CISCO_CTS if "CTS" in model else Kind.CISCO_ROOM


def bridge_spec_of(bridge: Bridge, secrets: Secrets) -> BridgeSpec | None:
    """None where it is steered, or its rooms are, elsewhere."""
    api_address, http_port = _plain_http(bridge.address)
    rooms = read_uri(f"sip:room@{bridge.dial_domain}")
    if not (http_port and _is_loopback(api_address) and rooms and _is_loopback(rooms.host)):
        return None
    control = secrets.open(bridge.control_credential)
    return BridgeSpec(
        name=bridge.name,
        api_address=api_address,
        http_port=http_port,
        address=rooms.host,
        sip_port=rooms.port,
        ports=bridge.ports,
        username=control.username,
        password=control.secret,
    )


def _plain_http(address: str) -> tuple[str, int]:
    """Host and port of where something is steered; the fleet speaks no TLS."""
    try:
        url = urlsplit(address)
        return (url.hostname or "", url.port or 80) if url.scheme == "http" else ("", 0)
    except ValueError:
        return "", 0


def _port_on(address: str, service: tuple[str, int]) -> int | None:
    return service[1] or None if service[0] == address else None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.IPv4Address(host).is_loopback
    except ValueError:
        return False
