import re
from datetime import UTC, datetime, timedelta

import pytest

from accounts import people
from accounts.people import add_account, attempt_sign_in, password_fits
from accounts.queries import access_of
from config import settings
from errors import Conflict, Invalid, TooMany
from models import Account, AuditEntry, Role, RoleGrant, Session, db, write
from models.database import WRITING
from tests import factories

PASSWORD = "correct horse battery"


@pytest.fixture
def ada(app):
    grants = [(Role.COORDINATOR, factories.organisation("UNN"))]
    write(lambda: add_account("Ada@Example.org", "Ada", PASSWORD, grants).id)
    return "ada@example.org"


def sign_in(client, email, password, **more):
    return client.post("/sign-in", data={"email": email, "password": password, **more})


def test_the_right_password_opens_the_pages_and_the_wrong_one_does_not(app, ada):
    client = app.test_client()
    wrong = sign_in(client, ada, "something else")
    assert wrong.status_code == 422
    assert "wrong" in wrong.text or "feil" in wrong.text
    assert client.get("/").headers["Location"].startswith("/sign-in")
    right = sign_in(client, ada, PASSWORD)
    assert (right.status_code, right.headers["Location"]) == (302, "/")
    assert "/sign-in" not in client.get("/").headers["Location"]


def test_nobody_learns_whether_an_account_exists(app, ada):
    client = app.test_client()
    unknown = sign_in(client, "nobody@example.org", PASSWORD)
    known = sign_in(client, ada, "something else")
    assert _without_tokens(unknown.text).replace("nobody@example.org", ada) == _without_tokens(known.text)


def _without_tokens(page: str) -> str:
    return re.sub(r'name="csrf_token" value="[^"]*"', "", page)


def test_guessing_is_stopped_even_with_the_right_password(app, ada):
    client = app.test_client()
    for _ in range(5):
        assert sign_in(client, ada, "guess").status_code == 422
    assert sign_in(client, ada, PASSWORD).status_code == 429


def test_a_success_clears_the_count_of_failures(app, ada):
    client = app.test_client()
    for _ in range(2):
        for _ in range(4):
            sign_in(client, ada, "guess")
        assert sign_in(client, ada, PASSWORD).status_code == 302


def test_signing_out_ends_the_session_at_the_server(app, ada):
    client = app.test_client()
    sign_in(client, ada, PASSWORD)
    with client.session_transaction() as cookie:
        stolen = dict(cookie)
    client.post("/sign-out")
    thief = app.test_client()
    with thief.session_transaction() as cookie:
        cookie.update(stolen)
    assert thief.get("/").headers["Location"].startswith("/sign-in")


def test_one_whose_last_role_has_run_out_can_still_sign_out(app, ada):
    client = app.test_client()
    sign_in(client, ada, PASSWORD)
    write(lambda: db.session.execute(db.delete(RoleGrant)))
    assert client.get("/").status_code == 403
    client.post("/sign-out")
    assert client.get("/").headers["Location"].startswith("/sign-in")


@pytest.mark.parametrize("column", ["seen_at", "created_at"])
def test_a_session_expires_when_idle_and_when_old(app, ada, column):
    client = app.test_client()
    sign_in(client, ada, PASSWORD)
    long_ago = datetime.now(UTC) - timedelta(hours=9)
    write(lambda: db.session.execute(db.update(Session).values({column: long_ago})))
    assert client.get("/").headers["Location"].startswith("/sign-in")


def test_the_cookie_is_out_of_reach_for_scripts_and_other_sites(app, ada):
    cookie = sign_in(app.test_client(), ada, PASSWORD).headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_the_token_itself_is_not_kept(app, ada):
    client = app.test_client()
    sign_in(client, ada, PASSWORD)
    with client.session_transaction() as cookie:
        token = cookie["_user_id"]
    assert db.session.scalars(db.select(Session.token_hash)).one() != token


@pytest.mark.parametrize(
    "address", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_signing_in_leads_to_no_other_site(app, ada, address):
    answer = sign_in(app.test_client(), ada, PASSWORD, next=address)
    assert answer.headers["Location"] == "/"


def test_signing_in_leads_back_to_where_one_was_going(app, ada):
    client = app.test_client()
    asked = client.get("/status?region=Nord").headers["Location"]
    page = client.get(asked)
    assert 'value="/status?region=Nord"' in page.text
    assert sign_in(client, ada, PASSWORD, next="/status?region=Nord").headers["Location"] == "/status?region=Nord"


def test_every_attempt_is_in_the_audit_trail(app, ada):
    client = app.test_client()
    sign_in(client, ada, "guess")
    sign_in(client, ada, PASSWORD)
    entries = db.session.scalars(db.select(AuditEntry).where(AuditEntry.action == "sign-in").order_by(AuditEntry.id))
    assert [entry.outcome for entry in entries] == ["refused", "done"]


def test_a_form_without_its_token_is_refused(app, ada):
    app.config["WTF_CSRF_ENABLED"] = True
    answer = sign_in(app.test_client(), ada, PASSWORD)
    assert answer.status_code == 400
    assert "Set-Cookie" not in answer.headers or "_user_id" not in answer.headers["Set-Cookie"]


@pytest.mark.parametrize(("email", "password"), [("no address", PASSWORD), ("a@b", "short"), ("a b@c.no", PASSWORD)])
def test_an_account_needs_an_address_and_a_decent_password(app, email, password):
    with pytest.raises(Invalid):
        write(lambda: add_account(email, "", password))


def test_an_address_has_one_account(app, ada):
    with pytest.raises(Conflict):
        write(lambda: add_account(ada.upper(), "", PASSWORD))


def test_a_grant_reaches_the_organisations_below(app):
    region = factories.organisation("Helse Nord")
    trust = factories.organisation("UNN", parent_id=region.id)
    other = factories.organisation("Helse Vest")
    access = access_of(factories.account(organisation=region))
    assert access.covers(trust.id, Role.COORDINATOR)
    assert not access.covers(other.id, Role.COORDINATOR)


def test_an_account_is_added_on_the_command_line_with_its_password_from_input(app):
    factories.organisation("UNN")
    runner = app.test_cli_runner()
    command = ["user", "add", "eva@example.org", "--role", "coordinator", "--organisation", "UNN"]
    done = runner.invoke(args=command, input=PASSWORD + "\n")
    assert done.exit_code == 0, done.output
    assert PASSWORD not in done.output
    assert sign_in(app.test_client(), "eva@example.org", PASSWORD).status_code == 302
    again = runner.invoke(args=command, input=PASSWORD + "\n")
    assert (again.exit_code, again.output) == (1, "Error: There is already an account for eva@example.org.\n")
    unknown = runner.invoke(args=[*command[:-1], "Nowhere"], input=PASSWORD + "\n")
    assert unknown.exit_code == 1
    assert "Nowhere" in unknown.output


def test_signing_in_as_somebody_unknown_while_signed_in_is_refused_as_ever(app, ada):
    client = app.test_client()
    sign_in(client, ada, PASSWORD)
    idle = datetime.now(UTC) - timedelta(minutes=5)
    write(lambda: db.session.execute(db.update(Session).values(seen_at=idle)))
    assert sign_in(client, "nobody@example.org", PASSWORD).status_code == 422
    assert client.get("/").headers["Location"] != "/sign-in"


def test_what_a_person_does_keeps_the_session_alive(app, ada):
    client = app.test_client()
    sign_in(client, ada, PASSWORD)
    idle = datetime.now(UTC) - timedelta(minutes=5)
    write(lambda: db.session.execute(db.update(Session).values(seen_at=idle)))
    for asked_by_itself in ("/status/changes", "/status?reload=minute"):
        client.get(asked_by_itself)
        assert db.session.scalars(db.select(Session.seen_at)).one() == idle, "a page that asks by itself is no person"
        db.session.rollback()
    db.session.rollback()
    client.get("/")
    assert db.session.scalars(db.select(Session.seen_at)).one() > idle


def test_an_account_that_is_disabled_is_out_at_once(app, ada):
    client = app.test_client()
    sign_in(client, ada, PASSWORD)
    write(lambda: db.session.execute(db.update(Account).values(disabled_at=datetime.now(UTC))))
    assert client.get("/").headers["Location"].startswith("/sign-in")
    assert sign_in(app.test_client(), ada, PASSWORD).status_code == 422


def test_a_grant_that_has_run_out_opens_nothing(app, ada):
    client = app.test_client()
    sign_in(client, ada, PASSWORD)
    write(lambda: db.session.execute(db.update(RoleGrant).values(expires_at=datetime.now(UTC))))
    assert client.get("/book").status_code == 403


@pytest.mark.parametrize("address", ["//[", "/\t//evil.example", "/\n//evil.example", "/\t\\evil.example", "http://["])
def test_an_address_that_is_no_path_of_ours_leads_to_the_start(app, ada, address):
    assert sign_in(app.test_client(), ada, PASSWORD, next=address).headers["Location"] == "/"
    chosen = app.test_client().post("/language/nb", data={"next": address})
    assert chosen.headers["Location"] == "/"


@pytest.mark.parametrize(
    "email", ["a\x00b@example.org", "x" * 10_000, "", "\ud800@example.org".encode("utf-8", "replace")]
)
def test_no_address_that_is_typed_breaks_signing_in(app, ada, email):
    assert sign_in(app.test_client(), email, PASSWORD).status_code == 422


@pytest.mark.parametrize(("length", "status"), [(10_000, 422), (1_100_000, 413)])
def test_a_password_of_any_length_is_answered(app, ada, length, status):
    assert sign_in(app.test_client(), ada, "p" * length).status_code == status


def test_an_old_session_is_not_taken_over_by_the_next_to_sign_in(app, ada):
    client = app.test_client()
    sign_in(client, ada, PASSWORD)
    with client.session_transaction() as cookie:
        before = cookie["_user_id"]
    sign_in(client, ada, PASSWORD)
    with client.session_transaction() as cookie:
        assert cookie["_user_id"] != before


def test_nobody_waits_for_a_password_to_be_checked(app, ada, monkeypatch):
    check, writing = people.password_is_right, []

    def look(*given):
        writing.append(bool(db.session.info.get(WRITING)))
        return check(*given)

    monkeypatch.setattr(people, "password_is_right", look)
    assert sign_in(app.test_client(), ada, PASSWORD).status_code == 302
    assert writing == [False]


def test_guesses_side_by_side_learn_no_more_than_guesses_in_a_row(app, ada):
    many = [password_fits(ada, guess, "127.0.0.1", settings()) for guess in ["guess"] * 5 + [PASSWORD]]
    for fits in many[:5]:
        write(lambda fits=fits: attempt_sign_in(ada, fits, "127.0.0.1", settings()))
    with pytest.raises(TooMany):
        write(lambda: attempt_sign_in(ada, many[5], "127.0.0.1", settings()))
