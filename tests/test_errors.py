import re
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import abort
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import UnsupportedMediaType

from accounts.permissions import public
from app import create_app
from errors import Conflict, Invalid, TooMany
from models import Role, db
from tests import factories
from tests.conftest import settings_for

ENGLISH = {"Accept-Language": "en"}
PART = {**ENGLISH, "HX-Request": "true"}
JSON = {**ENGLISH, "Accept": "application/json"}


@pytest.fixture
def dialect() -> str:
    return "sqlite"  # tests/test_database_away.py tries both


FAULTS = {
    400: lambda: abort(400),
    403: lambda: abort(403),
    404: lambda: abort(404),
    405: lambda: abort(405),
    409: lambda: (_ for _ in ()).throw(Conflict("It has gone.")),
    413: lambda: abort(413),
    415: lambda: abort(415),
    422: lambda: (_ for _ in ()).throw(Invalid("No date.")),
    429: lambda: (_ for _ in ()).throw(TooMany("Too often.")),
    500: lambda: 1 // 0,
    503: lambda: (_ for _ in ()).throw(OperationalError("SELECT secret", {}, Exception("gone"))),
}


@pytest.fixture
def person(app, client_for):
    """Somebody signed in, on an installation where /fault/<status> fails in that way."""

    @public
    def fault(status: int) -> str:
        FAULTS[status]()
        return "no fault"

    app.add_url_rule("/fault/<int:status>", view_func=fault, methods=["GET", "POST"])
    return client_for(factories.account(role=Role.TECHNICIAN))


@pytest.mark.parametrize("status", FAULTS)
def test_each_refusal_is_a_page_of_the_frame_with_its_status_and_a_way_on(person, status):
    answer = person.get(f"/fault/{status}", headers=ENGLISH)
    assert answer.status_code == status
    [heading] = re.findall(r"<h1>(.+?)</h1>", answer.text)
    assert f"<title>{heading} – Studionett</title>" in answer.text
    assert '<html lang="en"' in answer.text
    assert 'href="/"' in answer.text
    for inner in ("Traceback", "Error", "secret", "Exception"):
        assert inner not in answer.text


@pytest.mark.parametrize("status", FAULTS)
def test_a_part_and_a_program_get_the_same_status_in_their_own_form(person, status):
    part, program = person.get(f"/fault/{status}", headers=PART), person.get(f"/fault/{status}", headers=JSON)
    assert (part.status_code, program.status_code) == (status, status)
    assert "<html" not in part.text
    assert 'role="alert"' in part.text
    assert program.json["error"]


def test_a_defect_is_told_with_the_id_that_the_log_has(person):
    for headers in (ENGLISH, PART, JSON):
        answer = person.get("/fault/500", headers={**headers, "X-Request-Id": "asked-by-me"})
        assert answer.headers["X-Request-Id"] == "asked-by-me"
        assert "asked-by-me" in answer.text
    assert "asked-by-me" not in person.get("/fault/404", headers={**ENGLISH, "X-Request-Id": "asked-by-me"}).text


@pytest.mark.parametrize("status", [500, 503])
def test_after_a_failure_the_database_is_asked_nothing_more(person, status, monkeypatch):
    asked, failing = [], FAULTS[status]
    sa.event.listen(db.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    monkeypatch.setitem(FAULTS, status, lambda: (asked.clear(), failing()))
    assert person.get(f"/fault/{status}", headers=ENGLISH).status_code == status
    assert not asked


def test_a_form_without_its_token_leads_to_the_page_it_came_from(app):
    app.config["WTF_CSRF_ENABLED"] = True
    answer = app.test_client().post("/sign-in?next=/x", data={"email": "a@b.no"}, headers=ENGLISH)
    assert answer.status_code == 400
    assert "The page was open for too long" in answer.text
    assert 'class="ds-button is-tight" href="/sign-in"' in answer.text


def test_a_lost_address_offers_the_searches_to_those_who_may_use_them(app, person):
    assert "/studios/" in person.get("/nowhere", headers=ENGLISH).text
    assert "/studios/" not in app.test_client().get("/nowhere", headers=ENGLISH).text


def test_a_refusal_of_the_framework_is_told_in_our_own_words(tmp_path: Path) -> None:
    app = create_app(settings_for(f"sqlite:///{tmp_path}/unused.db"))
    with app.test_request_context(headers={"Accept": "application/json"}):
        answer = app.make_response(app.handle_user_exception(UnsupportedMediaType()))
    assert answer.status_code == 415
    assert answer.json
    assert answer.json["error"] != UnsupportedMediaType.description
