"""A technician writes down what a quality test found; it is shown where the studio is looked at and chosen."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from models import AuditEntry, Event, QualityTest, Role, Studio, db
from tests import factories

ALL = dict.fromkeys(("picture", "sound_out", "sound_in", "no_echo", "network"), "on")
pytestmark = pytest.mark.parametrize("dialect", ["sqlite"])


def today() -> str:
    return datetime.now(UTC).date().isoformat()


@pytest.fixture
def technician(app: Flask, client_for) -> FlaskClient:
    client: FlaskClient = client_for(factories.account(role=Role.TECHNICIAN))
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


def studio() -> Studio:
    db.session.rollback()
    return db.session.scalars(sa.select(Studio)).one()


def post(client: FlaskClient, **form: str):
    return client.post(f"/studios/{studio().code}/quality-test", data={"tested_on": today(), **form})


def test_a_test_in_which_all_was_good_is_passed_and_shown(technician: FlaskClient) -> None:
    factories.studio(name="Studio 3")
    assert "Never tested" in technician.get(f"/studios/{studio().code}").text
    assert post(technician, **ALL, note="  All   well ").status_code == 303
    assert (studio().quality_test_passed, str(studio().quality_tested_on)) == (True, today())
    page = technician.get(f"/studios/{studio().code}").text
    assert "Passed" in page
    assert "Counts until" in page
    assert "All well" in technician.get(f"/studios/{studio().code}/quality-test").text
    assert db.session.scalars(sa.select(Event.kind)).all() == ["studio.quality_passed"]
    assert "studio.quality_tested" in db.session.scalars(sa.select(AuditEntry.action)).all()


@pytest.mark.parametrize("missing", ALL)
def test_one_thing_that_was_not_good_is_not_passed(technician: FlaskClient, missing: str) -> None:
    factories.studio()
    post(technician, **{name: on for name, on in ALL.items() if name != missing})
    assert studio().quality_test_passed is False
    assert "Not passed" in technician.get(f"/studios/{studio().code}").text


def test_an_older_test_that_is_written_down_later_does_not_count(technician: FlaskClient) -> None:
    factories.studio()
    post(technician, **ALL)
    before = (datetime.now(UTC).date() - timedelta(days=3)).isoformat()
    post(technician, tested_on=before)
    assert studio().quality_test_passed is True
    assert db.session.scalar(sa.select(sa.func.count(QualityTest.id))) == 2


@pytest.mark.parametrize("day", ["", "yesterday", "2099-01-01", "2026-02-30"])
def test_a_day_that_cannot_be_is_refused_and_the_form_kept(technician: FlaskClient, day: str) -> None:
    factories.studio()
    answer = post(technician, picture="on", note="No echo at all", tested_on=day)
    assert answer.status_code == 422
    assert 'name="picture" checked' in answer.text
    assert "No echo at all" in answer.text
    assert studio().quality_tested_on is None


def test_only_who_looks_after_the_studio_tests_it(app: Flask, client_for) -> None:
    factories.studio()
    stranger = factories.account(role=Role.TECHNICIAN, organisation=factories.organisation("Elsewhere"))
    assert post(client_for(stranger), **ALL).status_code == 403
    assert "Write down a test" not in client_for(stranger).get(f"/studios/{studio().code}").text
    assert studio().quality_tested_on is None
