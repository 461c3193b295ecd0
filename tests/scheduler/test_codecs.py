import time

from devices.xapi import Codec
from scheduler import codecs as codecs_module
from scheduler.codecs import Codecs, Station
from scheduler.rules import Silence


class SlowClient:
    def calls(self, codec: Codec, *, deadline: float) -> list:
        time.sleep(0.3)
        return []

    def close(self) -> None:
        pass


def test_a_queue_of_silent_codecs_does_not_outlast_the_lease(monkeypatch):
    monkeypatch.setattr(codecs_module, "MOST_PATIENCE", 0.4)
    codecs = Codecs(SlowClient(), at_once=2)
    started = time.monotonic()
    seen = codecs.calls_of_all(Station(n, "", Codec("http://127.0.0.1", "", "")) for n in range(8))
    assert time.monotonic() - started < 0.6
    assert seen[:2] == [[], []]
    assert seen[-1] == Silence("rate-limited")
    codecs.close()
