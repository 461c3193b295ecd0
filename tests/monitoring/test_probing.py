"""What one device does not know is found out once, whatever it answers, and not asked for again."""

from collections.abc import Iterator

import pytest
from flask import Flask

from models import Health
from monitoring.rules import Cause
from tests.monitoring import agents as played
from tests.monitoring.agents import Agents
from tests.monitoring.running import until, watching
from tests.monitoring.test_monitor import an_endpoint, is_now, on_sqlite, status


@pytest.fixture
def agents() -> Iterator[Agents]:
    with played.agents() as agents:
        yield agents


GROUP = "1.3.6.1.4.1.13885.101"
CAMERA, MICROPHONE, REGISTERED = f"{GROUP}.1.3.6.1.0", f"{GROUP}.1.3.5.1.0", f"{GROUP}.1.2.7.2.0"


def a_group_that(states: dict[str, int], asked: list[set[str]], fussy: bool = False) -> played.Behaviour:
    """Equipment of Poly's Group series with these states. What it does not know it leaves out, or where it is `fussy`
    answers with an error to the whole question."""

    def behave(request: bytes) -> list[bytes]:
        oids = played.asked_for(request)
        asked.append(set(oids))
        unknown = [oid for oid in oids if oid.startswith(GROUP) and oid not in states]
        if fussy and unknown:
            return [played.refusing(request)]
        return [played.telling(request, {"1.3.6.1.2.1.1.2.0": GROUP, **states})]

    return behave


@pytest.mark.parametrize("fussy", [False, True])
@on_sqlite
def test_what_this_very_device_does_not_know_is_not_asked_for_again(app: Flask, agents: Agents, fussy: bool) -> None:
    asked: list[set[str]] = []
    states = {CAMERA: 2, REGISTERED: 2}
    key = an_endpoint(agents, behaviour=a_group_that(states, asked, fussy)).id
    with watching(app):
        until(lambda: status(key).unsupported)
        assert MICROPHONE in (status(key).unsupported or [])
        assert CAMERA not in (status(key).unsupported or [])
        until(lambda: status(key).peripherals == {"cameras": {"0": True}, "microphones": {}})
        asked.clear()
        until(lambda: any(CAMERA in each for each in asked))
        assert not any(MICROPHONE in each for each in asked)
        states[CAMERA] = 3
        until(lambda: is_now(key, Health.DEGRADED))
        assert (status(key).cause, status(key).registered) == (Cause.CAMERA, True)
        states[CAMERA], states[REGISTERED] = 2, 3
        until(lambda: status(key).cause == Cause.UNREGISTERED)
    asked.clear()
    with watching(app):  # another monitor knows that, too
        until(lambda: any(CAMERA in each for each in asked))
        assert not any(MICROPHONE in each for each in asked)
