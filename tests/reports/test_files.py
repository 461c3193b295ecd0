"""The CSV, the mail and the command."""

import csv
import io
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from messages.sending import send_due
from models import ConferenceState, Health, Message, OrganisationKind, Report, Role, db
from reports import figures, trends, usage
from reports.commands import report
from reports.table import HEADER, csv_of, harmless
from tests import factories
from tests.messages.smtp import post
from tests.reports.past import FarEnd, happened, watched

DAY = date(2026, 11, 3)
MORNING = datetime(2026, 11, 4, 7, tzinfo=UTC)
NINE = datetime(2026, 11, 3, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _in_the_morning(monkeypatch):
    monkeypatch.setattr(usage, "database_now", lambda: MORNING)
    monkeypatch.setattr("reports.commands.database_now", lambda: MORNING)


@pytest.fixture
def network(app):
    """Two regions; one conference between them was held, one within the north failed."""
    north = factories.site(factories.organisation("=cmd|' /C calc'!A0", number="1"), health_region="Nord")
    west = factories.site(
        factories.organisation("Askøy kommune", kind=OrganisationKind.MUNICIPALITY, health_region="Vest"),
        health_region="Vest",
    )
    host, near, far = (
        factories.studio(north, code="A-1", name="+47 77"),
        factories.studio(north, code="A-2", name=" @sum"),
        factories.studio(west, code="B-1", name='Sal "Øst"; nr. 2'),
    )
    happened(host, FarEnd(far, [(NINE, NINE + HOUR)]), start=NINE)
    happened(
        host, FarEnd(near, causes=["unreachable"]), start=NINE + 2 * HOUR, minutes=30, state=ConferenceState.FAILED
    )
    watched(far, (NINE - 20 * HOUR, Health.OK), (NINE, Health.DOWN), last_poll_at=MORNING)
    return host, near, far


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), delimiter=";"))


def test_a_conference_counts_once_in_each_group_whose_studios_took_part(network):
    usage.keep_days([DAY])
    of_network = figures.network(DAY, DAY)
    assert (of_network.booked, of_network.held, of_network.failed, of_network.as_booked) == (2, 1, 1, 1)
    assert (of_network.booked_seconds, of_network.used_seconds) == (3 * 3600, 2 * 3600)
    assert (of_network.studios, of_network.studios_used) == (3, 2)
    found = {each.name: (each.figures.booked, each.figures.used_seconds) for each in figures.regions(DAY, DAY)}
    assert found == {"Nord": (2, 3600), "Vest": (1, 3600)}
    assert figures.network(DAY, DAY, "Vest") == next(
        each.figures for each in figures.regions(DAY, DAY) if each.name == "Vest"
    )
    everywhere = figures.studios(DAY, DAY)
    assert figures.regions(DAY, DAY, everywhere) == figures.regions(DAY, DAY)
    assert figures.network(DAY, DAY, all_studios=everywhere) == of_network
    assert {each.code: each.figures.booked for each in figures.studios(DAY, DAY)} == {"A-1": 2, "A-2": 1, "B-1": 1}
    assert figures.causes(DAY, DAY) == [("unreachable", 1)]
    assert figures.causes(DAY, DAY, "Vest") == []
    assert figures.network(DAY, DAY, "Vest").healthy_share == pytest.approx(9 / 24)


def test_who_declined_is_not_counted_for_its_region(network):
    usage.keep_days([DAY])
    declined = "studio_id = (SELECT id FROM studio WHERE code = 'B-1')"
    db.session.execute(sa.text(f"UPDATE party SET answer = 'declined' WHERE {declined}"))
    db.session.commit()
    there = sa.text(
        "SELECT site.health_region, count(DISTINCT party.conference_id) FROM party"
        " JOIN studio ON studio.id = party.studio_id JOIN site ON site.id = studio.site_id"
        " WHERE party.answer <> 'declined' GROUP BY site.health_region"
    )
    counted = dict(tuple(row) for row in db.session.execute(there))
    assert counted == {"Nord": 2}
    found = {each.name: each.figures.booked for each in figures.regions(DAY, DAY)}
    assert {name: number for name, number in found.items() if number} == counted
    assert figures.network(DAY, DAY, "Vest").booked == 0
    weeks = {region: trends.conferences_by_week(DAY, region)[-1].conferences for region in ("Nord", "Vest")}
    assert weeks == {"Nord": 2, "Vest": 0}


def test_the_figures_are_those_that_plain_sql_gives(network):
    usage.keep_days([DAY])
    of_network = figures.network(DAY, DAY)
    booked, failed = db.session.execute(
        sa.text("SELECT count(*), sum(CASE WHEN state = 'failed' THEN 1 ELSE 0 END) FROM conference")
    ).one()
    assert (of_network.booked, of_network.failed) == (booked, failed)


def test_the_csv_has_one_header_and_a_line_for_each_level(network):
    usage.keep_days([DAY])
    text = csv_of(DAY, DAY)
    assert text.startswith("\ufeff" + ";".join(HEADER) + "\r\n")
    levels = [row["level"] for row in rows(text)]
    assert levels == ["network", "region", "region", "organisation", "organisation", "studio", "studio", "studio"]
    studio = rows(text)[-1]
    assert (studio["name"], studio["used_minutes"], studio["healthy_minutes"]) == ('Sal "Øst"; nr. 2', "60", "540")


def test_the_same_day_made_twice_gives_the_same_bytes(network, monkeypatch):
    usage.keep_days([DAY])
    first = csv_of(DAY, DAY).encode()
    monkeypatch.setattr(usage, "database_now", lambda: MORNING + 30 * HOUR)
    usage.keep_days([DAY])
    assert csv_of(DAY, DAY).encode() == first


def test_no_name_becomes_a_formula(network):
    usage.keep_days([DAY])
    names = [row["name"] for row in rows(csv_of(DAY, DAY))]
    assert "'=cmd|' /C calc'!A0" in names
    assert {"'+47 77", "' @sum"} <= set(names)


@pytest.mark.parametrize(
    "name", ["=1", "+1", "-1", "@a", "\t=1", "\rx", "\tx", "\n-1", "  =1", "\u00a0=1", "\ufeff=1", "\u200b@a", "＝1"]
)
def test_what_a_spreadsheet_takes_for_a_formula_gets_an_apostrophe(name):
    assert harmless(name) == f"'{name}"


@pytest.mark.parametrize("name", ["", "Studio 1", "Å-1", "1-2", " Bodø", "'=1"])
def test_other_names_stay_as_they_are(name):
    assert harmless(name) == name


def test_managers_get_the_figures_in_their_language_with_the_csv(network):
    speaking = {None: "Studiobruk", "nb": "Studiobruk", "en": "Studio usage", "xx": "Studiobruk"}
    people = {factories.account(role=Role.MANAGER, language=language).email: language for language in speaking}
    assert usage.make_report(DAY)
    mails = {mail.recipient: mail for mail in db.session.scalars(db.select(Message))}
    assert set(mails) == set(people)
    for email, language in people.items():
        assert mails[email].subject.startswith(speaking[language])
        [file] = mails[email].attachments
        assert (file["name"], file["content"]) == (f"studionett-{DAY}.csv", csv_of(DAY, DAY))
    english = next(mails[email].body for email, language in people.items() if language == "en")
    assert "Conferences booked: 2\n" in english
    assert "no report of the same weekday a week before" in english
    assert "/reports/" not in english, "nobody said where the pages are"


def test_the_mail_arrives_with_the_csv_byte_for_byte_and_a_link(app, network):
    manager = factories.account(role=Role.MANAGER, language="en")
    with post() as mail:
        app.config["STUDIONETT"] = replace(
            app.config["STUDIONETT"], public_url="https://studionett.example.org", **mail.settings
        )
        usage.make_report(DAY)
        send_due()
    [taken] = mail.mails
    assert taken["To"] == manager.email
    assert f"https://studionett.example.org/reports/{DAY}\n" in taken.get_body().get_content().replace("\r\n", "\n")
    [attached] = taken.iter_attachments()
    assert attached.get_payload(decode=True) == csv_of(DAY, DAY).encode()


def test_the_same_weekday_a_week_before_stands_beside(network):
    factories.account(role=Role.MANAGER, language="en")
    usage.keep_days([DAY - timedelta(days=7)])
    usage.make_report(DAY)
    assert "Conferences booked: 2 (0)\n" in str(db.session.scalar(db.select(Message.body)))


def test_only_managers_who_may_sign_in_get_the_mail(network):
    factories.account(role=Role.COORDINATOR)
    factories.account(role=Role.MANAGER, disabled_at=MORNING)
    account = factories.account(role=Role.MANAGER)
    account.grants[0].expires_at = MORNING - 10 * HOUR
    db.session.commit()
    usage.make_report(DAY)
    assert db.session.scalars(db.select(Message)).all() == []


def run(app, *arguments: str):
    return app.test_cli_runner().invoke(report, arguments)


def test_the_command_makes_the_report_and_says_the_figures(app, network):
    result = run(app, str(DAY))
    assert result.exit_code == 0, result.output
    assert f"{DAY}: 2 conferences booked, 1 held (1 as booked, 0 late), 1 failed" in result.output
    assert "Vest" in result.output
    assert db.session.scalars(db.select(Report.day)).all() == [DAY]


def test_what_the_night_made_is_only_read(app, network):
    usage.make_report(DAY)
    before = db.session.scalar(db.select(Report.made_at))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(usage, "database_now", lambda: MORNING + HOUR)
        assert run(app, str(DAY)).exit_code == 0
    assert db.session.scalar(db.select(Report.made_at)) == before


def test_a_range_makes_what_is_missing_from_the_first_conference_on(app, network, tmp_path):
    path = tmp_path / "october.csv"
    result = run(app, "--from", "2026-10-01", "--to", str(DAY), "--csv", str(path))
    assert result.exit_code == 0, result.output
    assert db.session.scalars(db.select(Report.day)).all() == [DAY]
    assert path.read_bytes() == csv_of(date(2026, 10, 1), DAY).encode()


def test_the_csv_alone_goes_to_standard_output(app, network):
    result = run(app, str(DAY), "--csv", "-")
    assert result.stdout_bytes.endswith(csv_of(DAY, DAY).encode())


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["2026-11-04"], 1, "2026-11-04 is not over"),
        (["2027-01-01"], 1, "2027-01-01 is still to come"),
        (["9999-12-31"], 1, "9999-12-31 is still to come"),
        (["0001-01-01"], 0, "0001-01-01: no conferences."),
        (["2026-11-01"], 0, "2026-11-01: no conferences."),
        (["2026-13-01"], 2, "is no day"),
        (["yesterday"], 2, "is no day"),
        ([], 2, "Give a day"),
        (["--from", "2026-11-01"], 2, "Give a day"),
        (["--from", "2026-11-02", "--to", "2026-11-01"], 2, "is before"),
        (["2026-11-01", "--to", "2026-11-01"], 2, "not both"),
        (["2026-11-03", "--csv", "/nowhere/x.csv"], 1, "/nowhere/x.csv cannot be written"),
    ],
)
def test_what_cannot_be_reported_is_said_in_a_sentence(app, network, arguments, code, said):
    result = run(app, *arguments)
    assert (result.exit_code, said in result.output) == (code, True), result.output
