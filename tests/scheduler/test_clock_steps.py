"""A scheduler, as a real process, whose machine's clock is set to another time while calls are up."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from models import ConferenceState, db
from tests import factories
from tests.conftest import settings_for
from tests.scheduler.conftest import STUDIONETT, wait_for
from tests.scheduler.test_calls import connected, is_in, kinds

SECOND = timedelta(seconds=1)
LIBRARY = next((str(path) for path in Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")), "")
pytestmark = pytest.mark.skipif(not LIBRARY, reason="faketime is not installed")


@pytest.fixture
def set_clock(database_url: str, tmp_path: Path) -> Iterator[Callable[[str], None]]:
    """Starts a scheduler whose clock goes wrong by what is said: `-1h`, `+0`."""
    offset = tmp_path / "offset"
    offset.write_text("+0")
    environment = {
        **os.environ,
        "STUDIONETT_DATABASE_URL": database_url,
        "STUDIONETT_SECRET_KEY": settings_for(database_url).secret_key,
        "LD_PRELOAD": LIBRARY,
        "FAKETIME_TIMESTAMP_FILE": str(offset),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "TZ": "Europe/Oslo",
    }

    def put(text: str) -> None:
        fresh = tmp_path / "fresh"
        fresh.write_text(text)
        fresh.replace(offset)

    with subprocess.Popen([STUDIONETT, "scheduler"], env=environment, stdout=subprocess.DEVNULL) as process:
        yield put
        process.kill()


def test_calls_outlive_a_clock_that_is_set_back_by_an_hour_and_on_again(network, running_now, set_clock):
    conference = running_now("TROMSO", "BODO")
    wait_for(is_in(ConferenceState.RUNNING, conference), 20)
    (call,) = network.calls("TROMSO")
    for number, offset in enumerate(("-1h", "+0"), start=1):
        set_clock(offset)
        network.lose_calls("BODO")
        wait_for(lambda: kinds(conference).count("leg.dropped") == number, 20)  # noqa: B023
        wait_for(is_in(ConferenceState.RUNNING, conference), 30)
        assert connected(network, "TROMSO") == connected(network, "BODO") == 1
    assert network.calls("TROMSO") != [call]
    assert "conference.stopping" not in kinds(conference)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(datetime(2026, 10, 25, 1, tzinfo=UTC), id="autumn"),  # 03:00 becomes 02:00
        pytest.param(datetime(2027, 3, 28, 1, tzinfo=UTC), id="spring"),  # 02:00 becomes 03:00
    ],
)
def test_the_night_in_which_the_clocks_change_makes_no_call_an_hour_longer_or_shorter(
    network, studios, set_clock, change
):
    """It begins ten seconds before the hour and ends ten after: by the wall's clock before its start, or an hour on."""
    began = datetime.now(UTC)
    made = factories.conference(
        studios["TROMSO"], studios["BODO"], start=change - 10 * SECOND, end=change + 10 * SECOND
    )
    set_clock(f"{(change - 15 * SECOND - datetime.now(UTC)).total_seconds():+.0f}")
    db.session.rollback()
    wait_for(is_in(ConferenceState.RUNNING, made), 25)
    while datetime.now(UTC) - began < 19 * SECOND:  # some seconds after the change
        time.sleep(0.2)
    assert connected(network, "TROMSO") == connected(network, "BODO") == 1
    wait_for(is_in(ConferenceState.ENDED, made), 25)
    assert not network.calls("TROMSO")
    assert not network.calls("BODO")
    assert kinds(made).count("leg.dialled") == 1


def test_a_clock_that_is_set_past_the_end_ends_the_conference(network, running_now, set_clock):
    conference = running_now("TROMSO", "BODO")
    wait_for(is_in(ConferenceState.RUNNING, conference), 20)
    set_clock("+2h")
    wait_for(is_in(ConferenceState.ENDED, conference), 20)
    assert not network.calls("TROMSO")
    assert not network.calls("BODO")
