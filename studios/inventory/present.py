"""What pages say of a studio's present. Pure."""

from datetime import datetime, timedelta

from models import Endpoint, Health, SnmpVersion


def is_watched_in_clear(endpoint: Endpoint | None) -> bool:
    """Whether anybody on the network may read what monitoring reads: SNMP v2c encrypts nothing."""
    return bool(endpoint and endpoint.snmp_host and endpoint.snmp_version is SnmpVersion.V2C)


def present_health(
    health: Health | None, polled_at: datetime | None, closed: bool, now: datetime, stale_after: timedelta
) -> Health:
    """The stored health, unless a closure or its age says otherwise; a silent monitor stores nothing.

    `polled_at` is the last poll that said anything: a studio that is down has not answered for long, and that is known.
    """
    if closed:
        return Health.MAINTENANCE
    if health is None or polled_at is None or now - polled_at > stale_after:
        return Health.UNKNOWN
    return health
