"""What is needed to speak to the studios: credentials, certificates, the SNMP library."""

from importlib.util import find_spec

import sqlalchemy as sa

from config import ConfigurationError, Settings
from devices.tls import verification
from models import Credential, Endpoint, SecretUnreadable, SnmpVersion, Studio, db
from operation.checks.finding import Finding, ok, warning, wrong

LIBRARIES = {"gufo": "gufo.snmp", "pysnmp": "pysnmp"}


def credentials(_found: Settings) -> Finding:
    closed = [
        one.name for one in db.session.scalars(db.select(Credential).order_by(Credential.name)) if not _opens(one)
    ]
    if closed:
        return wrong(
            f"Stored with another secret key: {', '.join(closed)}. Give the old STUDIONETT_SECRET_KEY back, or set "
            "them again: studionett credential set."
        )
    return ok("Every stored credential opens with this secret key.")


def endpoints(_found: Settings) -> list[Finding]:
    steered = _count(Endpoint.control_driver.is_not(None), Endpoint.control_credential_id.is_(None))
    watched = _count(Endpoint.snmp_host.is_not(None), Endpoint.snmp_credential_id.is_(None))
    plain = _count(Endpoint.snmp_host.is_not(None), Endpoint.snmp_version == SnmpVersion.V2C)
    found = []
    if steered or watched:
        found.append(
            warning(
                f"Endpoints without a credential: {steered} to steer, {watched} to watch. Name one in the inventory."
            )
        )
    if plain:
        found.append(
            warning(f"{plain} endpoints are watched by SNMP v2c, whose community anyone on the way can read; use 3.")
        )
    return found or [ok("Every endpoint has its credential, and none is watched by SNMP v2c.")]


def certificates(found: Settings) -> Finding:
    try:
        verification(found)
    except ConfigurationError as error:
        return wrong(str(error))
    if not found.control_verify:
        return warning(
            "Any codec's certificate is trusted: unset STUDIONETT_CONTROL_VERIFY, set STUDIONETT_CONTROL_CA."
        )
    return ok("Codecs must show a certificate that is trusted.")


def snmp(found: Settings) -> Finding:
    chosen = found.snmp_engine
    wanted = LIBRARIES if chosen == "auto" else {chosen: LIBRARIES[chosen]}
    there = [name for name, module in wanted.items() if _is_installed(module)]
    if not there:
        return wrong(f"The SNMP engine {chosen} cannot be loaded: install the packages again (script/setup).")
    return ok(f"SNMP is spoken by {there[0]}.")


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def _opens(credential: Credential) -> bool:
    try:
        credential.open()
        credential.open_privacy()
    except SecretUnreadable:
        return False
    return True


def _count(*which: sa.ColumnElement[bool]) -> int:
    """Endpoints of studios in use."""
    query = sa.select(sa.func.count()).select_from(Endpoint).join(Studio).where(Studio.retired_at.is_(None), *which)
    return db.session.scalar(query) or 0
