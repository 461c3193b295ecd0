from datetime import UTC, datetime, timedelta

import pytest

from studios.booking.waiting import serving
from tests.studios.booking.waiting.town import Town


@pytest.fixture(autouse=True)
def patient_sweeps(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that stands still for a moment must not end a sweep; the test of just that sets its own time."""
    monkeypatch.setattr(serving, "MOST_SECONDS", 600)


@pytest.fixture
def town(app) -> Town:
    return Town()


@pytest.fixture
def start() -> datetime:
    """10:00 or 11:00 in Oslo, in a week."""
    return (datetime.now(UTC) + timedelta(days=7)).replace(hour=9, minute=0, second=0, microsecond=0)
