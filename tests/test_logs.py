"""What stands in the log, and what must not."""

import io
import json
import logging

import pytest
import structlog
from sqlalchemy.exc import IntegrityError

import logs
from config import ConfigurationError, LogFormat, Settings
from models import Role
from tests import factories


@pytest.fixture
def log(request):
    """The log as it is written, in the form that a test names as its parameter."""
    root, kept = logging.getLogger(), logging.getLogger().handlers[:]
    level = root.level
    told = io.StringIO()
    logs.configure(getattr(request, "param", LogFormat.JSON), logging.INFO, "web", told)
    yield told
    root.handlers[:] = kept
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def dialect() -> str:
    return "sqlite"  # what is logged does not hang on the database


def events(log: io.StringIO) -> list[dict]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


def requests(log: io.StringIO) -> list[dict]:
    return [one for one in events(log) if one["event"] == "answered"]


def test_our_events_and_the_libraries_are_lines_of_one_kind(log):
    structlog.get_logger("ours").warning("a leg fell", conference=7)
    logging.getLogger("waitress.queue").warning("Task queue depth is %d", 3)
    ours, theirs = events(log)
    assert (ours["event"], ours["conference"], ours["logger"]) == ("a leg fell", 7, "ours")
    assert (theirs["event"], theirs["logger"]) == ("Task queue depth is 3", "waitress.queue")
    for one in (ours, theirs):
        assert (one["level"], one["process"]) == ("warning", "web")
        assert one["timestamp"].endswith("Z")


@pytest.mark.parametrize("log", list(LogFormat), indirect=True)
def test_no_text_from_outside_begins_a_line_of_its_own(log):
    structlog.get_logger().info("a name\n2026-11-22 [error] forged\x1b[2J", path="/x\nforged")
    logging.getLogger("waitress").warning("%s", "first\r\nsecond")
    structlog.get_logger().info("answered", path="/quiet\x1b[2J\x9b2J")
    assert len(log.getvalue().splitlines()) == 3
    assert "\x1b" not in log.getvalue()
    assert "\x9b" not in log.getvalue() or log.getvalue().startswith("{"), "JSON is for programs"


def test_an_address_is_nowhere_in_the_log(app, log):
    mailbox = "@".join(["eva", "example.org"])
    app.test_client().get(f"/nothing/{mailbox}")
    logging.getLogger("x").error("no mail to %s", mailbox)
    structlog.get_logger().info("given up", recipient=mailbox)
    assert "/nothing/(address)" in log.getvalue()
    assert mailbox not in log.getvalue()


def test_an_exception_is_one_event_with_its_traceback(log):
    try:
        raise RuntimeError("no way")
    except RuntimeError:
        structlog.get_logger().exception("it failed")
    [event] = events(log)
    assert "RuntimeError: no way" in event["exception"]


def test_a_refused_row_is_logged_without_what_it_held(app, log):
    mailbox, name = "@".join(["eva", "example.org"]), "Eva " + "Hemmelig"  # not as they stand in a traceback's lines
    factories.account(email=mailbox)
    with pytest.raises(IntegrityError) as refused:
        factories.account(email=mailbox, name=name)
    logging.getLogger("x").error("a write failed", exc_info=refused.value)
    assert "IntegrityError" in log.getvalue()
    assert mailbox not in log.getvalue()
    assert name not in log.getvalue()


def test_what_postgresql_quotes_of_a_row_is_left_out():
    told = {"error": "duplicate key\nDETAIL:  Key (email)=(eva@example.org) already exists.\nmore; ask ada@example.org"}
    assert logs.without_values(None, "", told)["error"] == "duplicate key\nDETAIL: (left out)\nmore; ask (address)"


def test_a_studios_dial_address_is_not_taken_for_a_persons():
    told = {"error": "sip:studio@tromso.example.org is busy"}
    assert logs.without_values(None, "", dict(told)) == told


def test_a_request_is_a_line_with_who_asked_by_number_and_no_query(app, client_for, log):
    account = factories.account(role=Role.TECHNICIAN)
    number, client = account.id, client_for(account)
    client.get("/studios/?q=hemmelig", headers={"X-Request-Id": "proxy-77"})
    [line] = requests(log)
    assert (line["method"], line["path"], line["status"], line["account"]) == ("GET", "/studios/", 200, number)
    assert line["request"] == "proxy-77"
    assert line["ms"] > 0
    assert "hemmelig" not in log.getvalue()


def test_a_form_that_is_refused_before_any_page_sees_it_is_a_line_too(app, log):
    app.config["WTF_CSRF_ENABLED"] = True
    answer = app.test_client().post("/sign-in", data={"email": "x"})
    [line] = requests(log)
    assert (line["status"], line["request"]) == (400, answer.headers["X-Request-Id"])


def test_what_pages_ask_by_themselves_is_not_logged(app, client_for, log):
    client = client_for(factories.account(role=Role.TECHNICIAN))
    for address in ("/status/heartbeat", "/static/studionett.css", "/healthz"):
        assert client.get(address).status_code == 200
    assert requests(log) == []


def test_what_fails_is_logged_even_when_it_is_asked_for_by_itself(app, client_for, log, monkeypatch):
    def fail(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr("monitoring.views.heartbeat", fail)
    client_for(factories.account(role=Role.TECHNICIAN)).get("/status/heartbeat")
    [line] = requests(log)
    assert (line["path"], line["status"], line["level"]) == ("/status/heartbeat", 500, "warning")
    [fault] = [one for one in events(log) if "exception" in one]
    assert fault["request"] == line["request"], "the two belong together"


@pytest.mark.parametrize("given", ["", "a b", "a\nb", "x" * 65, "<b>", "é"])
def test_an_unfit_request_id_is_replaced(app, given):
    # A real client cannot send all of these; whoever stands between might.
    from operation.requests import request_id

    made = request_id(given)
    assert made != given
    assert len(made) == 16
    assert request_id("proxy-77.a_b") == "proxy-77.a_b"


def test_every_answer_tells_its_request_id(app):
    client = app.test_client()
    assert client.get("/healthz", headers={"X-Request-Id": "proxy-77"}).headers["X-Request-Id"] == "proxy-77"
    first, second = (client.get("/nothing").headers["X-Request-Id"] for _ in range(2))
    assert first != second


@pytest.mark.parametrize(("name", "value"), [("LOG_FORMAT", "xml"), ("LOG_LEVEL", "loud")])
def test_a_wrong_log_setting_is_told_in_words(name, value):
    with pytest.raises(ConfigurationError, match=f"STUDIONETT_{name} is wrong: it must be "):
        Settings.from_environment({f"STUDIONETT_{name}": value, "STUDIONETT_SECRET_KEY": "a key"})
