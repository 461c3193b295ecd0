"""What pages say of a studio's present. Pure."""

from datetime import date, datetime, timedelta
from enum import StrEnum

from models import Endpoint, Health, SnmpVersion

QUALITY_COUNTS = timedelta(days=183)
"""A quality test is repeated every six months."""


class Quality(StrEnum):
    """What a studio's last quality test says today."""

    PASSED = "passed"
    FAILED = "failed"
    EXPIRED = "expired"
    NONE = "none"


def quality_of(tested_on: date | None, passed: bool | None, today: date) -> Quality:
    if tested_on is None or passed is None:
        return Quality.NONE
    if not passed:
        return Quality.FAILED
    return Quality.PASSED if tested_on >= today - QUALITY_COUNTS else Quality.EXPIRED


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
