from datetime import UTC, datetime
from pathlib import Path

import pytest

from app import create_app
from monitoring.wording import when
from tests.conftest import settings_for

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
THIS_MORNING = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)
YESTERDAY = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(("language", "written"), [("nb", "21. nov. 10:30"), ("en", "21 Nov 10:30")])
def test_an_instant_of_another_day_has_its_date_as_the_language_writes_it(
    language: str, written: str, tmp_path: Path
) -> None:
    with create_app(settings_for(f"sqlite:///{tmp_path}/unused.db")).test_request_context(
        headers={"Accept-Language": language}
    ):
        assert when(YESTERDAY, NOW) == written


def test_an_instant_of_the_same_day_in_oslo_is_a_time_alone(tmp_path: Path) -> None:
    with create_app(settings_for(f"sqlite:///{tmp_path}/unused.db")).test_request_context():
        assert when(THIS_MORNING, NOW) == "00:30"
