"""Time that is marked as used without video begins and ends by the clock, and nothing is called."""

from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient

from errors import Conflict
from models import Answer, Conference, ConferenceState, db, write
from studios.booking.answers import decline
from studios.booking.conferences import booking_of, cancel, change
from studios.booking.rules import Phase, phase
from studios.booking.running import extend, release_studio
from tests import factories
from tests.studios.booking.pages import Network, text_of

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def marked(network: Network, start_in: timedelta) -> Conference:
    row = factories.conference(
        network.tromso_1, network.tromso_2, start=datetime.now(UTC) + start_in, video=False, due_at=None
    )
    row.parties[1].answer = Answer.WAITING
    db.session.commit()
    return row


@pytest.mark.parametrize(
    ("state", "video", "start", "expected"),
    [
        (ConferenceState.PLANNED, True, NOW - 3 * HOUR, Phase.PLANNED),
        (ConferenceState.STARTING, True, NOW + HOUR, Phase.UNDER_WAY),
        (ConferenceState.STOPPING, True, NOW - 3 * HOUR, Phase.UNDER_WAY),
        (ConferenceState.ENDED, True, NOW, Phase.OVER),
        (ConferenceState.FAILED, True, NOW, Phase.OVER),
        (ConferenceState.CANCELLED, False, NOW, Phase.OVER),
        (ConferenceState.PLANNED, False, NOW + HOUR, Phase.PLANNED),
        (ConferenceState.PLANNED, False, NOW, Phase.UNDER_WAY),
        (ConferenceState.PLANNED, False, NOW - HOUR, Phase.OVER),
    ],
)
def test_the_calls_decide_and_without_video_the_clock(
    state: ConferenceState, video: bool, start: datetime, expected: Phase
) -> None:
    assert phase(state, video, start, start + HOUR, NOW) is expected


def test_what_is_over_can_be_neither_declined_nor_changed_nor_cancelled(network: Network) -> None:
    conference = marked(network, timedelta(days=-3))
    asked = booking_of(conference)
    with pytest.raises(Conflict):
        write(lambda: decline(conference.id, 1, "Too late", None))
    with pytest.raises(Conflict):
        write(lambda: change(conference.id, asked, 1, None))
    with pytest.raises(Conflict):
        write(lambda: cancel(conference.id, 1, None))


def test_while_in_use_it_is_extended_given_back_and_ended_and_never_falls_due(network: Network) -> None:
    conference = marked(network, timedelta(minutes=-10))
    end = conference.ends_at
    write(lambda: extend(conference.id, 30, None, None).id)
    db.session.expire_all()
    assert (conference.ends_at, conference.due_at) == (end + timedelta(minutes=30), None)
    write(lambda: release_studio(conference.id, 0, None, None).id)
    write(lambda: cancel(conference.id, conference.version, None).id)
    db.session.expire_all()
    assert conference.state is ConferenceState.PLANNED
    assert conference.ends_at <= datetime.now(UTC)
    assert conference.due_at is None
    assert all(row.released_at or row.ends_at <= datetime.now(UTC) for row in conference.reservations)
    with pytest.raises(Conflict):
        write(lambda: cancel(conference.id, conference.version, None))


@pytest.mark.parametrize(
    ("start_in", "word", "every"),
    [
        (timedelta(minutes=5), "Planned, without video", "every 60s"),
        (timedelta(minutes=-10), "Room in use, without video", "every 60s"),
        (timedelta(days=-3), "Over", None),
    ],
)
def test_its_page_tells_no_host_and_no_calls_and_is_quiet(
    coordinator: FlaskClient, network: Network, start_in: timedelta, word: str, every: str | None
) -> None:
    answer = coordinator.get(f"/conferences/{marked(network, start_in).reference}")
    said = text_of(answer)
    assert word in said
    assert "Host" not in said
    assert "Not called yet" not in said
    assert every in answer.text if every else "/live" not in answer.text
    assert ("cancel" in answer.text) is (every is not None)


def test_who_ends_it_early_is_told_that_the_studios_are_free(coordinator: FlaskClient, network: Network) -> None:
    conference = marked(network, timedelta(minutes=-10))
    address = f"/conferences/{conference.reference}/cancel"
    assert "hung up" not in text_of(coordinator.get(address))
    said = text_of(coordinator.post(address, data={"version": "1"}, follow_redirects=True))
    assert "has ended. The studios are free again." in said
