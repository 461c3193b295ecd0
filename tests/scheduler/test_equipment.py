import time

from devices.pexip import PexipClient
from devices.xapi import XapiClient
from scheduler import equipment as equipment_module
from scheduler.drivers.interface import Station
from scheduler.equipment import Equipment
from scheduler.rules import Silence


class SlowDriver:
    def status(self) -> list:
        time.sleep(0.3)
        return []


def test_a_queue_of_silent_codecs_does_not_outlast_the_lease(monkeypatch):
    monkeypatch.setattr(equipment_module, "MOST_PATIENCE", 0.4)
    equipment = Equipment(XapiClient(), PexipClient(), at_once=2)
    started = time.monotonic()
    seen = equipment.calls_of_all(Station(n, "", SlowDriver()) for n in range(8))
    assert time.monotonic() - started < 0.6
    assert seen[:2] == [[], []]
    assert seen[-1] == Silence("rate-limited")
    equipment.close()
