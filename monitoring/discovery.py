"""The page /inventory/discover: ask an address who it is, and propose how it is to be watched."""

import asyncio
import socket
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from accounts.permissions import allow
from config import settings
from errors import Invalid
from models import ControlDriver, Credential, Endpoint, Role, SecretUnreadable, SnmpVersion, Studio, db
from monitoring.profiles import FULL, SYS_LOCATION, SYS_NAME, SYS_OBJECT_ID, Identity, identity
from monitoring.roster import DEFAULT_COMMUNITY
from monitoring.snmp.choice import engine_named
from monitoring.snmp.engine import Outcome, Reading, Target
from monitoring.vendor_profiles import NOBODY, Meaning, Profile, profile_for
from monitoring.wording import MEANINGS
from studios.inventory.cells import DEFAULT_SNMP_PORT, is_host

blueprint = Blueprint("discovery", __name__, url_prefix="/inventory/discover")

CARETAKERS = (Role.TECHNICIAN, Role.ADMINISTRATOR)
TRIES, TIMEOUT = 2, 1.5
LONGEST = 255


@dataclass(frozen=True)
class Asked:
    """The form, as typed."""

    host: str
    port: str
    version: str
    credential: str

    @staticmethod
    def typed() -> "Asked":
        given = request.values
        return Asked(
            given.get("host", "").strip()[:LONGEST],
            given.get("port", str(DEFAULT_SNMP_PORT)).strip()[:10],
            given.get("version", SnmpVersion.V2C),
            given.get("credential", "")[:100],
        )


@dataclass(frozen=True)
class Found:
    """Who answered: `told` what it can be asked for beyond the system group; `known` the studio with this address."""

    identity: Identity
    profile: Profile
    name: str
    location: str
    round_trip_ms: float | None
    told: list[str]
    known: Studio | None


@blueprint.route("", methods=["GET", "POST"])
@allow(*CARETAKERS)
def discover() -> ResponseReturnValue:
    """The form, and who answers at the address."""
    asked = Asked.typed()
    if request.method == "GET":
        return _page(asked)
    try:
        found = _found(asked)
    except Invalid as refused:
        return _page(asked, refusal=refused.message), 422
    return _page(asked, found)


def _found(asked: Asked) -> Found:
    """Raises Invalid, also where nobody answers."""
    target = _target(asked)
    reading, more = asyncio.run(_ask(target))
    if reading.outcome is Outcome.REFUSED:
        raise Invalid(_("Somebody answers there, but does not accept the user or the keys."), "credential")
    if not reading.answered:
        raise Invalid(
            _("Nobody answers there. A wrong community looks the same as nobody: the agent stays silent."), "host"
        )
    values = {**reading.values, **more.values}
    profile = profile_for(str(values.get(SYS_OBJECT_ID) or ""), settings().profiles)
    supported = {each.means for each in profile.objects if any(values.get(oid) is not None for oid in each.oids)}
    told = [str(MEANINGS[meaning]) for meaning in Meaning if meaning in supported]
    query = db.select(Studio).join(Endpoint, Endpoint.studio_id == Studio.id)
    return Found(
        identity(values),
        profile,
        _text(values.get(SYS_NAME)),
        _text(values.get(SYS_LOCATION)),
        round(reading.round_trip * 1000, 1) if reading.round_trip is not None else None,
        told,
        db.session.scalar(query.where(Endpoint.snmp_host.in_((asked.host, target.host))).order_by(Studio.id).limit(1)),
    )


async def _ask(target: Target) -> tuple[Reading, Reading]:
    """Who it is, and what its kind of equipment can be asked for."""
    engine = engine_named(settings().snmp_engine)()
    try:
        first = await engine.read(target, FULL, TIMEOUT)
        for _again in range(TRIES - 1):
            if first.outcome is Outcome.TIMEOUT:
                first = await engine.read(target, FULL, TIMEOUT)
        if not first.answered:
            return first, first
        profile = profile_for(str(first.values.get(SYS_OBJECT_ID) or ""), settings().profiles)
        more = await engine.read(target, profile.oids, TIMEOUT) if profile.oids else replace(first, values={})
        return first, more
    finally:
        engine.close()


def _target(asked: Asked) -> Target:
    """Raises Invalid."""
    if not is_host(asked.host):
        raise Invalid(_("Type an IP address or a host name."), "host")
    if not (asked.port.isascii() and asked.port.isdigit() and 0 < int(asked.port) < 65_536):
        raise Invalid(_("A port is a number from 1 to 65535."), "port")
    if asked.version not in list(SnmpVersion):
        raise Invalid(_("Choose a version of SNMP."), "version")
    bare = Target(0, _numeric(asked.host), int(asked.port), asked.version, DEFAULT_COMMUNITY)
    secure = asked.version == SnmpVersion.V3
    if not asked.credential:
        if secure:
            raise Invalid(_("SNMP version 3 needs a credential."), "credential")
        return bare
    credential = db.session.scalar(db.select(Credential).where(Credential.name == asked.credential))
    if credential is None or credential.suits_snmp_3 is not secure:
        raise Invalid(_("This credential does not fit the version of SNMP."), "credential")
    try:
        secret, privacy = credential.open(), credential.open_privacy()
    except SecretUnreadable:
        raise Invalid(_("The credential cannot be opened; set it again."), "credential") from None
    if secure:
        return replace(bare, user=credential.username, auth=secret, priv=privacy or "")
    return replace(bare, community=secret)


def _numeric(host: str) -> str:
    try:
        return str(ip_address(host))
    except ValueError:
        pass
    try:
        return str(socket.getaddrinfo(host, None, type=socket.SOCK_DGRAM)[0][4][0])
    except OSError:
        raise Invalid(_("There is no host of that name."), "host") from None


def _text(value: object) -> str:
    return value[:100].decode("utf-8", "replace") if isinstance(value, bytes) else ""


def _page(asked: Asked, found: Found | None = None, refusal: str = "") -> str:
    names = db.session.scalars(db.select(Credential.name).order_by(Credential.name)).all()
    return render_template(
        "monitoring/discover.html",
        asked=asked,
        found=found,
        refusal=refusal,
        credentials=names,
        versions=list(SnmpVersion),
        is_nobody=found is not None and found.profile is NOBODY,
        address=_address_to_add(asked, found) if found else "",
    )


def _address_to_add(asked: Asked, found: Found) -> str:
    """The form of a new studio, filled in with what is known."""
    given: dict[str, Any] = {
        "name": found.location or found.name,
        "code": found.name if found.name.replace("-", "").isalnum() else "",
        "snmp_host": asked.host,
        "snmp_port": asked.port,
        "snmp_version": asked.version,
        "snmp_credential": asked.credential,
    }
    if found.profile.name == "Cisco Room":
        given |= {"control_driver": ControlDriver.CISCO_XAPI, "control_url": f"https://{asked.host}"}
    return url_for("upkeep.new", **{name: value for name, value in given.items() if value})
