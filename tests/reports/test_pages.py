"""The report pages: what a manager reads, and what is said where there is nothing to read."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from models import Outcome, Role, db
from reports.trends import busiest_hours, conferences_by_week
from tests import factories
from tests.reports import made_up

OSLO = ZoneInfo("Europe/Oslo")
FRIDAY = date(2026, 11, 20)
ENGLISH = {"Accept-Language": "en"}
MOST_QUERIES = 12
LARGEST_PAGE = 150_000  # bytes


@pytest.fixture
def read(client_for) -> Callable[..., str]:
    client: FlaskClient = client_for(factories.account(role=Role.MANAGER))

    def text(address: str, status: int = 200) -> str:
        answer = client.get(address, headers=ENGLISH)
        assert answer.status_code == status, answer.text
        return plain(answer.text)

    return text


def plain(page: str) -> str:
    """The words of a page, in a line."""
    main = page[page.index("<main") : page.index("</main")] if "<main" in page else page
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", main)).replace("&#39;", "'")


@contextmanager
def counted() -> Iterator[list[str]]:
    statements: list[str] = []

    def note(*event: object) -> None:
        statements.append(str(event[2]))

    sa.event.listen(db.engine, "before_cursor_execute", note)
    yield statements
    sa.event.remove(db.engine, "before_cursor_execute", note)


def a_week(*studios, day: date = FRIDAY) -> None:
    """A reported day: two conferences held, one failed, one that nobody came to and one cancelled."""
    made_up.report(day)
    for outcome, cause in (
        (Outcome.HELD, None),
        (Outcome.HELD, None),
        (Outcome.FAILED, "unreachable"),
        (Outcome.NO_SHOW, "no-answer"),
        (Outcome.CANCELLED, None),
    ):
        made_up.conference(*studios, day=day, outcome=outcome, cause=cause)
    for studio in studios:
        facts = {"booked": 4, "held": 2, "failed": 1, "no_shows": 1, "cancelled": 1, "as_booked": 2}
        made_up.studio_day(studio, day, **facts, booked_seconds=14_400, used_seconds=5400)


def test_a_report_shows_its_key_figures_against_the_period_before(read):
    room = factories.studio()
    a_week(room)
    made_up.report(FRIDAY - timedelta(days=1))
    made_up.conference(room, day=FRIDAY - timedelta(days=1))
    made_up.studio_day(room, FRIDAY - timedelta(days=1), used_seconds=3600, healthy_seconds=0, faulty_seconds=86_400)
    text = read(f"/reports/{FRIDAY}")
    assert "Usage: Friday 20 November 2026" in text
    assert "Conferences 4 300.0% from 1" in text
    assert "Went as booked 50.0% 50.0 pp from 100.0%" in text
    assert "Nobody came 25.0% 25.0 pp from 0.0%" in text
    assert "Studios in use 1 0 of 1, 100.0%" in text
    assert "Healthy 100.0% 100.0 pp from 0.0%" in text


def test_causes_are_told_in_sentences(read):
    a_week(factories.studio())
    text = read(f"/reports/{FRIDAY}")
    assert "The equipment cannot be reached. 1" in text
    assert "unreachable" not in text


def test_without_a_report_before_nothing_is_compared(read):
    a_week(factories.studio())
    text = read(f"/reports/{FRIDAY}")
    assert "nothing to compare with" in text
    assert " pp " not in text


def test_reports_open_with_the_week_of_the_newest_and_list_the_latest_days(read):
    room = factories.studio()
    a_week(room)
    made_up.report(date(2026, 11, 2))
    text = read("/reports/")
    assert "Usage: week 47 of 2026" in text
    assert "The latest days" in text
    assert "Fri 20 Nov 4 50.0% 1.5 h 100.0%" in text
    assert "Mon 2 Nov 0 – 0.0 h not known" in text


def test_a_week_that_is_not_over_says_so_and_is_compared_with_as_many_days(read):
    room = factories.studio()
    for days in range(12):
        day = date(2026, 11, 9) + timedelta(days=days)  # up to Friday of the next week
        made_up.report(day)
        made_up.conference(room, day=day)
    text = read(f"/reports/{FRIDAY}?period=week")
    assert "5 of 7 days are reported so far" in text
    assert "Conferences 5 0.0% from 5" in text
    assert "Held 5 0" in text


def test_a_period_of_which_only_some_days_are_reported_is_nothing_to_compare_with(read):
    room = factories.studio()
    for days in range(4, 12):  # from Friday on
        day = date(2026, 11, 9) + timedelta(days=days)
        made_up.report(day)
        made_up.conference(room, day=day)
    text = read(f"/reports/{FRIDAY}?period=week")
    assert "nothing to compare with" in text
    assert "Conferences 5 Studio hours" in text


def test_a_region_narrows_the_figures(read):
    north = factories.studio(factories.site(health_region="Nord"), name="Northern")
    west = factories.studio(factories.site(health_region="Vest"), name="Western")
    made_up.report(FRIDAY)
    for room, number in ((north, 1), (west, 2)):
        for _ in range(number):
            made_up.conference(room, day=FRIDAY)
        made_up.studio_day(room, FRIDAY, booked=number, used_seconds=3600)
    text = read(f"/reports/{FRIDAY}?region=Nord")
    assert "Conferences 1" in text
    assert ("Northern" in text, "Western" in text) == (True, False)
    assert "Conferences 3" in read(f"/reports/{FRIDAY}?region=Atlantis")


def test_a_day_on_which_nothing_was_booked_is_a_report_of_zeros(read):
    made_up.report(date(2026, 11, 22))
    made_up.studio_day(factories.studio(), date(2026, 11, 22), healthy_seconds=0, unknown_seconds=86_400)
    text = read("/reports/2026-11-22")
    assert "Nothing was booked on Sunday 22 November 2026." in text
    assert "Conferences 0" in text
    assert "Went as booked not known" in text


def test_health_that_nobody_watched_is_not_known_and_never_zero(read):
    room = factories.studio()
    made_up.report(FRIDAY)
    made_up.studio_day(room, FRIDAY, used_seconds=1, healthy_seconds=0, unknown_seconds=86_400)
    text = read(f"/reports/{FRIDAY}")
    assert "Healthy not known" in text
    assert "Nobody watched" in text
    assert not re.search(r"(?<!\d)0\.0%", text)


def test_half_a_day_without_polls_counts_neither_way(read):
    made_up.report(FRIDAY)
    made_up.studio_day(factories.studio(), FRIDAY, healthy_seconds=43_200, unknown_seconds=43_200)
    text = read(f"/reports/{FRIDAY}")
    assert "Healthy 100.0%" in text
    assert "watched 50.0% of the time" in text


def test_the_studios_are_ranked_by_use_or_by_deviation(read):
    made_up.report(FRIDAY)
    for name, booked, used in (("Busy", 7200, 7200), ("Empty", 5400, 0)):
        made_up.studio_day(factories.studio(name=name), FRIDAY, booked_seconds=booked, used_seconds=used)
    by_use, by_deviation = read(f"/reports/{FRIDAY}"), read(f"/reports/{FRIDAY}?sort=deviation")
    assert by_use.index("Busy") < by_use.index("Empty")
    assert by_deviation.index("Empty") < by_deviation.index("Busy")
    assert "−1.5 h" in by_deviation


def today() -> date:
    return datetime.now(OSLO).date()


def test_the_report_of_today_is_promised_for_the_night(read):
    assert "The report is made on" in read(f"/reports/{today()}", 404)


def test_a_day_to_come_has_no_report(read):
    assert "This has not happened yet." in read(f"/reports/{today() + timedelta(days=2)}", 404)


def test_a_day_that_was_never_reported_says_how_to_make_it_up(read):
    made_up.report(FRIDAY)
    text = read("/reports/2026-03-01", 404)
    assert "There is no report of Sunday 1 March 2026." in text
    assert "studionett report 2026-03-01" in text
    assert "The newest report: Fri 20 Nov" in text


def test_before_the_first_report_the_page_says_when_it_comes(read):
    assert "There is no report yet." in read("/reports/")


@pytest.mark.parametrize("day", ["yesterday", "2026-02-30", "0001-01-01", "9999-12-31", "2026-11-20%00"])
@pytest.mark.parametrize("rest", ["", ".csv", "/studios", "/organisations"])
def test_what_is_no_day_is_refused_in_a_sentence(read, day, rest):
    assert re.search("named by its day|so distant a day", read(f"/reports/{day}{rest}?period=year", 404))


@pytest.mark.parametrize(
    "query", ["?period=decade", "?page=x", "?page=-4", "?page=999", "?sort=;drop", "?region=Atlantis"]
)
def test_odd_wishes_are_looked_past(read, query):
    a_week(factories.studio())
    for rest in ("", "/studios", "/organisations"):
        read(f"/reports/{FRIDAY}{rest}{query}")


def test_the_file_of_a_period_has_a_name_and_harmless_cells(app, client_for):
    a_week(factories.studio(name="=1+1"))
    answer = client_for(factories.account(role=Role.TECHNICIAN)).get(f"/reports/{FRIDAY}.csv?period=week")
    assert answer.mimetype == "text/csv"
    assert "studionett-2026-11-16-2026-11-22.csv" in answer.headers["Content-Disposition"]
    assert ";'=1+1;" in answer.text


def test_a_period_without_a_report_has_no_file(read):
    assert "No day of this period has a report yet" in read("/reports/2026-03-01.csv", 404)


def test_the_long_lists_are_paged_sorted_and_never_heavy(client_for, read):
    place = factories.site()
    made_up.report(FRIDAY)
    for number in range(60):
        made_up.studio_day(factories.studio(place, name=f"Room {number:02}"), FRIDAY, used_seconds=60 * number)
    first, second = (read(f"/reports/{FRIDAY}/studios?page={page}") for page in (1, 2))
    assert first.index("Room 59") < first.index("Room 58")
    assert ("Room 09" in first, "Room 09" in second) == (False, True)
    by_name = read(f"/reports/{FRIDAY}/studios?sort=name")
    assert by_name.index("Room 00") < by_name.index("Room 01")
    client = client_for(factories.account(role=Role.MANAGER))
    assert len(client.get(f"/reports/{FRIDAY}/studios").data) < LARGEST_PAGE


def test_a_page_reads_in_few_queries_however_much_there_is(read):
    rooms = [factories.studio(factories.site(health_region=region)) for region in ("Nord", "Midt", "Vest", "Sør-Øst")]
    for day in (FRIDAY, FRIDAY - timedelta(days=7)):
        a_week(*rooms, day=day)
    with counted() as statements:
        read(f"/reports/{FRIDAY}?period=week")
    own = [text for text in statements if not re.search(r"\b(session|role_grant|account|worker)\b|^BEGIN", text)]
    assert len(own) <= MOST_QUERIES, own


def test_weeks_are_counted_as_plain_sql_counts_them(app):
    north = factories.studio(factories.site(health_region="Nord"))
    west = factories.studio(factories.site(health_region="Vest"))
    for back, rooms in ((0, [north]), (0, [north, west]), (7, [west]), (364, [north]), (367, [west])):
        made_up.conference(*rooms, day=FRIDAY - timedelta(days=back))
    made_up.conference(north, day=FRIDAY, outcome=Outcome.CANCELLED)
    for back in (0, 7, 21, 364, 367):
        made_up.report(FRIDAY - timedelta(days=back))
    weeks = conferences_by_week(FRIDAY)
    assert [(week.conferences, week.year_before) for week in weeks[-4:]] == [(0, None), (None, None), (1, None), (2, 2)]
    assert [(week.conferences, week.year_before) for week in conferences_by_week(FRIDAY, "Nord")[-2:]] == [
        (0, None),
        (2, 1),
    ]
    assert [(week.days, week.days_before) for week in weeks[-4:]] == [(1, 0), (0, 0), (1, 0), (1, 2)]
    plain_sql = "SELECT count(*) FROM conference_usage WHERE day >= '2026-11-16' AND outcome <> 'cancelled'"
    assert db.session.scalar(sa.text(plain_sql)) == weeks[-1].conferences


def test_the_hour_that_comes_twice_is_shown_by_its_greater(app):
    back = date(2026, 10, 25)
    midnight = datetime(2026, 10, 24, 22, tzinfo=UTC)
    for number in range(25):
        made_up.hour(midnight + timedelta(hours=number), back, {2: 3, 3: 5}.get(number, 0))
    busy = busiest_hours(back, back, "Europe/Oslo")
    assert busy.hours == list(range(2, 18))
    assert [(line.weekday, line.conferences[0]) for line in busy.lines] == [(6, 5)]


def test_a_weekday_without_a_report_is_no_row_of_zeros(app):
    made_up.hour(datetime(2026, 11, 20, 8, tzinfo=UTC), FRIDAY, 4)
    lines = busiest_hours(FRIDAY - timedelta(days=4), FRIDAY, "Europe/Oslo").lines
    assert set(lines[0].conferences) == {None}
    assert lines[4].conferences[2] == 4
