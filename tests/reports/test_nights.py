"""Each night's report is made once, whatever restarts and however many schedulers there are."""

import os
import signal
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from models import (
    ConferenceState,
    ConferenceUsage,
    Message,
    Outcome,
    Report,
    Role,
    StudioUsage,
    db,
)
from reports import usage
from tests import factories
from tests.reports.past import FarEnd, happened

ROOT = Path(__file__).parents[2]
NIGHT = timedelta(hours=4)
DAY = date(2026, 11, 24)
# 04:00 in Oslo on the day after, in winter.
ITS_NIGHT = datetime(2026, 11, 25, 3, tzinfo=UTC)
NINE = datetime(2026, 11, 24, 8, tzinfo=UTC)
# Makes what is due and says when it began to read.
MAKER = """
import sys, time
from datetime import datetime
from app import create_app
from config import Settings
from reports import usage
url, now, pause = sys.argv[1], datetime.fromisoformat(sys.argv[2]), float(sys.argv[3])
app = create_app(Settings(database_url=url, secret_key="a key for tests"))
usage.database_now = lambda: now
replace = usage._replace
def slow(facts):
    replace(facts)
    print("replaced", facts[0].day, flush=True)
    time.sleep(pause)
usage._replace = slow
with app.app_context():
    usage.first_conference_at()
    print("ready", flush=True)
    sys.stdin.readline()
    print("made", *usage.make_due_reports(), flush=True)
"""


@pytest.fixture
def at(monkeypatch):
    """Puts the reports' clock."""

    def put(now: datetime) -> None:
        monkeypatch.setattr(usage, "database_now", lambda: now)

    return put


@pytest.fixture
def studios(app):
    site = factories.site()
    return factories.studio(site), factories.studio(site)


def a_call(studios, start: datetime, **changes):
    host, far = studios
    return happened(host, FarEnd(far, [(start, start + timedelta(hours=1))]), start=start, **changes)


def made() -> list[date]:
    db.session.rollback()
    return list(db.session.scalars(db.select(Report.day).order_by(Report.day)))


def mails() -> list[str]:
    db.session.rollback()
    return sorted(db.session.scalars(db.select(Message.key)))


def test_a_day_is_reported_from_four_in_the_morning_on_and_once(at, studios):
    manager = factories.account(role=Role.MANAGER)
    a_call(studios, NINE)
    at(ITS_NIGHT - timedelta(seconds=1))
    assert usage.make_due_reports() == []
    at(ITS_NIGHT)
    assert usage.make_due_reports() == [DAY]
    assert usage.make_due_reports() == []
    assert (made(), mails()) == ([DAY], [f"report:{DAY}:{manager.id}"])


@pytest.mark.parametrize(
    ("day", "night"),
    [
        (date(2027, 3, 28), datetime(2027, 3, 29, 2, tzinfo=UTC)),
        (date(2027, 3, 27), datetime(2027, 3, 28, 2, tzinfo=UTC)),
        (date(2026, 10, 24), datetime(2026, 10, 25, 3, tzinfo=UTC)),
    ],
)
def test_four_in_the_morning_is_the_zones_own(at, studios, day, night):
    a_call(studios, datetime(day.year, day.month, day.day, 10, tzinfo=UTC))
    at(night - timedelta(seconds=1))
    assert usage.make_due_reports() == []
    at(night)
    assert usage.make_due_reports() == [day]


def test_nobody_had_a_conference_yet_so_nothing_is_reported(at, app):
    at(ITS_NIGHT)
    assert usage.make_due_reports() == []


def test_missed_nights_are_made_up_oldest_first_from_the_first_conference_on(at, studios):
    factories.account(role=Role.MANAGER)
    a_call(studios, NINE)
    at(ITS_NIGHT + timedelta(days=10))
    days = usage.make_due_reports()
    assert days == [DAY + timedelta(days=number) for number in range(11)]
    assert len(mails()) == 8, "for nights of the last seven days and this one"
    assert mails()[0].startswith(f"report:{DAY + timedelta(days=3)}:")


def test_nights_are_made_up_for_400_days_at_most(at, studios):
    a_call(studios, NINE)
    at(ITS_NIGHT + timedelta(days=500))
    due = usage.due_days(ITS_NIGHT + timedelta(days=500))
    assert (len(due), due[-1]) == (400, DAY + timedelta(days=500))


def test_a_report_made_before_its_night_is_made_again_by_it(at, studios):
    conference = a_call(studios, NINE)
    at(ITS_NIGHT - timedelta(hours=3))
    assert usage.make_report(DAY)
    assert mails() == []
    conference.state = ConferenceState.ENDED
    at(ITS_NIGHT)
    assert usage.make_due_reports() == [DAY]


def test_a_conference_past_midnight_is_running_until_it_is_over_and_then_the_day_is_made_again(at, studios):
    factories.account(role=Role.MANAGER)
    host, far = studios
    happened(host, FarEnd(far), start=ITS_NIGHT - timedelta(hours=5), minutes=400, state=ConferenceState.STARTING)
    at(ITS_NIGHT)
    assert usage.make_due_reports() == [DAY]
    assert db.session.scalar(db.select(ConferenceUsage.outcome)) is Outcome.RUNNING
    booked = db.session.scalars(db.select(StudioUsage.booked_seconds).filter_by(day=DAY)).all()
    assert booked == [60 * 60, 60 * 60], "the hour before midnight"
    at(ITS_NIGHT + timedelta(hours=3))
    assert usage.make_due_reports() == [DAY]
    assert usage.make_due_reports() == []
    assert db.session.scalar(db.select(ConferenceUsage.outcome)) is Outcome.FAILED
    assert len(mails()) == 1


@pytest.mark.parametrize("stumble", ["in the facts", "in the database"])
def test_a_day_that_cannot_be_made_does_not_hold_up_the_next(at, studios, monkeypatch, stumble):
    a_call(studios, NINE)
    at(ITS_NIGHT + timedelta(days=1))
    facts_of = usage.facts_of

    def stumbling(day, *others):
        if day == DAY and stumble == "in the database":
            db.session.execute(sa.text("SELECT 1 FROM nothing_that_is_there"))
        if day == DAY:
            raise ValueError
        return facts_of(day, *others)

    monkeypatch.setattr(usage, "facts_of", stumbling)
    assert usage.make_due_reports() == [DAY + timedelta(days=1)]
    monkeypatch.setattr(usage, "facts_of", facts_of)
    assert usage.make_due_reports() == [DAY]


def test_a_conference_that_was_moved_leaves_the_day_it_was_reported_on(at, studios):
    conference = a_call(studios, NINE)
    later = ITS_NIGHT + timedelta(days=1)
    at(later)
    usage.keep_days([DAY])
    conference.starts_at, conference.ends_at = NINE + timedelta(days=1), NINE + timedelta(days=1, hours=1)
    db.session.commit()
    usage.keep_days([DAY + timedelta(days=1)])
    assert db.session.scalars(db.select(ConferenceUsage.day)).all() == [DAY + timedelta(days=1)]


def test_making_many_days_at_once_leaves_the_days_between_alone(at, studios):
    days = [DAY, DAY + timedelta(days=1), DAY + timedelta(days=2)]
    for day in range(3):
        a_call(studios, NINE + timedelta(days=day))
    at(ITS_NIGHT + timedelta(days=9))
    usage.keep_days(days)
    usage.keep_days([days[0], days[2]])
    assert db.session.scalars(db.select(ConferenceUsage.day).order_by(ConferenceUsage.day)).all() == days


class Maker:
    """A process of its own that makes what is due at 04:00, and dwells before it commits."""

    def __init__(self, url: str, pause: float) -> None:
        command = [sys.executable, "-c", MAKER, url, ITS_NIGHT.isoformat(), str(pause)]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("STUDIONETT_")}
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.hears("ready")

    def hears(self, word: str) -> str:
        assert self._process.stdout
        line = self._process.stdout.readline()
        while line and not line.startswith(word):
            line = self._process.stdout.readline()
        return line.strip()

    def go(self) -> None:
        assert self._process.stdin
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()


@pytest.fixture
def maker(database_url):
    running = []

    def begin(pause: float) -> Maker:
        running.append(Maker(database_url, pause))
        return running[-1]

    yield begin
    for process in running:
        process.kill()


def test_of_two_schedulers_one_makes_the_report(studios, maker):
    manager = factories.account(role=Role.MANAGER)
    a_call(studios, NINE)
    both = [maker(0.5), maker(0.5)]
    for process in both:
        process.go()
    assert sorted(process.hears("made") for process in both) == ["made", f"made {DAY}"]
    assert (made(), mails()) == ([DAY], [f"report:{DAY}:{manager.id}"])
    assert db.session.scalar(db.select(db.func.count()).select_from(StudioUsage)) == 2


def test_a_scheduler_killed_while_it_makes_a_report_leaves_it_to_the_next(studios, maker, at):
    factories.account(role=Role.MANAGER)
    a_call(studios, NINE)
    dying = maker(60)
    dying.go()
    dying.hears("replaced")
    dying.kill()
    assert (made(), mails()) == ([], [])
    at(ITS_NIGHT)
    assert usage.make_due_reports() == [DAY]
    assert (made(), len(mails())) == ([DAY], 1)
