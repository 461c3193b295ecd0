"""Which studios of the inventory the fleet can stand in for: those whose equipment has a loopback address."""

import ipaddress
import zlib
from dataclasses import dataclass
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from models import ControlDriver, Credential, Endpoint, SecretUnreadable, SnmpVersion, Studio, db
from simulation.sip_messages import read_uri
from simulation.sockets import FleetError
from simulation.studio import StudioSpec


@dataclass(frozen=True, slots=True)
class Inventory:
    """`skipped` studios have equipment elsewhere, or none."""

    specs: list[StudioSpec]
    skipped: int


class Secrets:
    """Opens each credential once; thousands of endpoints share a few."""

    def __init__(self) -> None:
        self._opened: dict[int, str] = {}

    def open(self, credential: Credential | None) -> str:
        if credential is None:
            return ""
        if credential.id not in self._opened:
            self._opened[credential.id] = credential.open()
        return self._opened[credential.id]


def read_inventory() -> Inventory:
    """The studios in use, by code. `FleetError` when the database or a secret cannot be read."""
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
    except SecretUnreadable as error:
        raise FleetError(str(error)) from None
    except sa.exc.SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise FleetError(f"The inventory cannot be read: {reason}. Was `studionett db upgrade` run?") from None
    found = [spec for spec in specs if spec]
    return Inventory(found, len(specs) - len(found))


def spec_of(studio: Studio, secrets: Secrets) -> StudioSpec | None:
    """What to serve for a studio: of its services, those on one loopback address. None: there are none."""
    endpoint = studio.endpoint
    if endpoint is None:
        return None
    dial = read_uri(endpoint.dial_address)
    sip = (dial.host, dial.port) if dial else ("", 0)
    http = _plain_http(endpoint)
    snmp = (endpoint.snmp_host or "", endpoint.snmp_port if endpoint.snmp_version is SnmpVersion.V2C else 0)
    address = next((host for host, port in (sip, http, snmp) if port and _is_loopback(host)), None)
    if address is None:
        return None
    return StudioSpec(
        code=studio.code,
        name=studio.name,
        address=address,
        http_port=_port_on(address, http),
        sip_port=_port_on(address, sip),
        snmp_port=_port_on(address, snmp),
        username=endpoint.control_credential.username if endpoint.control_credential else "",
        password=secrets.open(endpoint.control_credential),
        community=secrets.open(endpoint.snmp_credential) or "public",
        serial=endpoint.serial or f"FTT{zlib.crc32(studio.code.encode()) % 10**8:08d}",
        site=studio.site.name,
        location=f"{studio.site.name}, {studio.site.town}",
        sip_user=dial.user if dial else "",
    )


def _plain_http(endpoint: Endpoint) -> tuple[str, int]:
    """Host and port of the control address; the fleet speaks no TLS."""
    if endpoint.control_driver is not ControlDriver.CISCO_XAPI:
        return "", 0
    try:
        url = urlsplit(endpoint.control_url or "")
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
