from datetime import UTC, datetime, timedelta

import pytest

from errors import Conflict
from models import Bridge, write
from studios.booking.terms import set_bridge
from tests import factories

HOUR = timedelta(hours=1)
TOMORROW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=1)


def bridge_with(ports: int) -> Bridge:
    return write(lambda: set_bridge("Bridge", "https://127.0.0.1", ports))


def test_a_bridge_keeps_the_ports_that_are_promised_at_one_time(app):
    bridge_id = bridge_with(10).id
    for start in (TOMORROW, TOMORROW, TOMORROW + HOUR):
        factories.conference(factories.studio(), start=start, bridge_id=bridge_id, ports=3)
    with pytest.raises(Conflict, match="6 ports"):
        bridge_with(4)
    assert bridge_with(6).ports == 6
