from datetime import UTC, datetime, timedelta

import pytest

from tests.studios.booking.waiting.town import Town


@pytest.fixture
def town(app) -> Town:
    return Town()


@pytest.fixture
def start() -> datetime:
    """10:00 or 11:00 in Oslo, in a week."""
    return (datetime.now(UTC) + timedelta(days=7)).replace(hour=9, minute=0, second=0, microsecond=0)
