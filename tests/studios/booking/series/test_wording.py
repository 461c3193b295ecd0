from collections.abc import Iterator
from datetime import date, time
from pathlib import Path

import pytest
from flask import Flask
from flask_babel import Babel, force_locale
from holidays import country_holidays

from studios.booking.series.recurrence import Recurrence
from studios.booking.series.rules import RuleProblem
from studios.booking.series.wording import HOLIDAYS, PROBLEMS, describe, holiday_name

MONDAY = date(2026, 11, 23)
TRANSLATIONS = Path(__file__).parents[4] / "translations"


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """Words need the catalogues and no database."""
    app = Flask(__name__)
    Babel(app, default_translation_directories=str(TRANSLATIONS))
    with app.app_context():
        yield


def words(rule: str, first_day: date = MONDAY) -> str:
    return describe(Recurrence(rule, first_day, time(9), 60, "Europe/Oslo"))


def test_a_series_says_when_how_often_and_until_when():
    expected = "Every Monday at 09:00, 26 times, until 17 May 2027"
    assert words("FREQ=WEEKLY;COUNT=26") == expected
    assert words("FREQ=WEEKLY;UNTIL=20270520") == expected


def test_a_series_is_described_in_norwegian_too():
    with force_locale("nb"):
        assert words("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH;COUNT=4").startswith(
            "Annenhver uke på mandag og torsdag kl. 09:00, 4 ganger, til "
        )
        assert words("FREQ=MONTHLY;BYDAY=-1FR;COUNT=1").startswith("Siste fredag i hver måned kl. 09:00, 1 gang, til ")


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("FREQ=DAILY;COUNT=3", "Every day"),
        ("FREQ=DAILY;INTERVAL=2;COUNT=3", "Every second day"),
        ("FREQ=DAILY;INTERVAL=10;COUNT=3", "Every 10 days"),
        ("FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR;COUNT=3", "Every weekday"),
        ("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;COUNT=3", "Every weekday"),
        ("FREQ=WEEKLY;BYDAY=TH,MO;COUNT=3", "Every Monday and Thursday"),
        ("FREQ=WEEKLY;BYDAY=MO,WE,TH;COUNT=3", "Every Monday, Wednesday, and Thursday"),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH;COUNT=3", "Every second week on Monday and Thursday"),
        ("FREQ=WEEKLY;INTERVAL=3;COUNT=3", "Every 3 weeks on Monday"),
        ("FREQ=MONTHLY;BYDAY=-1FR;COUNT=3", "The last Friday of each month"),
        ("FREQ=MONTHLY;BYDAY=FR;BYSETPOS=2;COUNT=3", "The second Friday of each month"),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=3", "The last weekday of each month"),
        ("FREQ=MONTHLY;INTERVAL=2;BYDAY=1TU;COUNT=3", "The first Tuesday of every second month"),
        ("FREQ=MONTHLY;INTERVAL=3;COUNT=3", "Day 23 of every 3 months"),
        ("FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=3", "The last day of each month"),
        ("FREQ=YEARLY;COUNT=3", "Every year on 23 November"),
    ],
)
def test_a_rule_that_people_use_has_words(rule: str, expected: str):
    assert words(rule).split(" at 09:00, 3 times, ")[0] == expected


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=DAILY;INTERVAL=2;BYDAY=MO;COUNT=3",
        "FREQ=WEEKLY;BYMONTH=1;COUNT=3",
        "FREQ=MONTHLY;BYMONTHDAY=13;BYDAY=FR;COUNT=3",
        "FREQ=MONTHLY;BYDAY=1MO,3MO;COUNT=3",
        "FREQ=MONTHLY;BYDAY=1MO,MO;COUNT=3",
        "FREQ=MONTHLY;BYDAY=MO;COUNT=3",
        "FREQ=MONTHLY;BYMONTHDAY=-2;COUNT=3",
        "FREQ=YEARLY;BYMONTH=5;BYDAY=1MO;COUNT=3",
        "FREQ=DAILY",
    ],
)
def test_a_rule_that_has_no_words_speaks_for_itself(rule: str):
    assert words(rule) == rule


def test_every_public_holiday_and_every_refusal_has_words():
    names = set().union(*(country_holidays("NO", years=year, language="en_US").values() for year in range(2026, 2040)))
    assert {one for name in names for one in name.split("; ")} == set(HOLIDAYS)
    assert set(PROBLEMS) == set(RuleProblem)
    assert holiday_name("Labor Day") == "Labour Day"
    assert holiday_name("Day of New Things") == "Day of New Things"
