"""A token opens, and nothing else does."""

from datetime import UTC, datetime, timedelta

import pytest

from accounts.bearer import act_for_token_account
from accounts.people import add_account, attempt_sign_in
from accounts.permissions import access_held_by
from accounts.rules import Scope
from config import settings
from models import ApiToken, AuditEntry, Role, SignInAttempt, db, write
from tests import factories

DAY = timedelta(days=1)


def ask(app, headers=None, address="/api/v1/me", method="GET", **more):
    return app.test_client().open(address, method=method, headers={"Accept-Language": "en", **(headers or {})}, **more)


def test_a_token_tells_whom_it_acts_for_and_what_for(app):
    account = factories.account(role=Role.COORDINATOR, organisation=factories.organisation("UNN"))
    answer = ask(app, factories.token(account, Scope.BOOK))
    assert answer.status_code == 200
    told = answer.json
    assert told.pop("expires_at").endswith("Z")
    assert told == {
        "email": account.email,
        "name": account.name,
        "grants": [{"role": "coordinator", "organisation": "UNN"}],
        "token": "a program",
        "scopes": ["book"],
    }


@pytest.mark.parametrize(
    "shown",
    ["", "Bearer", "Bearer ", "Bearer sn_wrong", "Basic c25fOg==", "sn_x", "Bearer \u00e6\u00f8\u00e5", "Bearer a b"],
)
def test_without_a_token_that_counts_it_is_told_how_to_show_one(app, shown):
    answer = ask(app, {"Authorization": shown, "Accept": "text/html"})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="Studionett"')
    assert answer.json["error"]
    assert answer.json["problems"] == []


def test_a_token_ends_with_its_time_its_revocation_or_its_account(app):
    account = factories.account()
    old = factories.token(account, now=datetime.now(UTC) - 2 * DAY)
    assert ask(app, old).status_code == 401
    shown = factories.token(account)
    assert ask(app, shown).status_code == 200
    account.disabled_at = datetime.now(UTC)
    db.session.commit()
    assert ask(app, shown).status_code == 401


def test_a_signed_in_browser_does_not_count(app, client_for):
    client = client_for(factories.account(role=Role.COORDINATOR))
    assert client.get("/account/tokens").status_code == 200
    for method, address in (("GET", "/api/v1/me"), ("POST", "/api/v1/samples")):
        assert client.open(address, method=method).status_code == 401


def test_a_wrong_token_is_not_made_good_by_a_signed_in_browser(app, client_for):
    client = client_for(factories.account(role=Role.COORDINATOR))
    assert client.get("/api/v1/openapi.json").status_code == 200
    assert client.get("/api/v1/openapi.json", headers={"Authorization": "Bearer sn_wrong"}).status_code == 401


def test_a_token_opens_no_page(app):
    answer = ask(app, factories.token(factories.account()), "/account/tokens")
    assert (answer.status_code, answer.headers["Location"].split("?")[0]) == (302, "/sign-in")


def test_a_session_is_neither_made_nor_asked_for(app):
    answer = ask(app, factories.token(factories.account()))
    assert "Set-Cookie" not in answer.headers


def test_no_forms_token_is_asked_for(app):
    assert app.config.get("WTF_CSRF_ENABLED", True)
    shown = factories.token(factories.account(role=Role.COORDINATOR))
    sent = {"title": "one", "at": "2026-11-26T09:00:00Z"}
    assert ask(app, shown, "/api/v1/samples", "POST", json=sent).status_code == 201


def test_a_scope_that_lacks_is_named_and_the_refusal_is_in_the_audit_trail(app):
    account = factories.account(role=Role.COORDINATOR)
    answer = ask(app, factories.token(account, Scope.READ), "/api/v1/samples", "POST", json={})
    assert answer.status_code == 403
    assert 'error="insufficient_scope", scope="book"' in answer.headers["WWW-Authenticate"]
    entry = db.session.scalars(db.select(AuditEntry).where(AuditEntry.action == "refused")).one()
    assert (entry.account_id, entry.object) == (account.id, "/api/v1/samples")


def test_a_scope_gives_no_role(app):
    shown = factories.token(factories.account(role=Role.MANAGER))
    assert ask(app, shown, "/api/v1/samples", "POST", json={}).status_code == 403


def test_what_a_program_does_is_written_down_as_the_accounts_deed(app):
    account = factories.account(role=Role.COORDINATOR)
    ask(app, factories.token(account), "/api/v1/samples", "POST", json={"title": "x", "at": "2026-11-26T09:00:00Z"})
    entry = db.session.scalars(db.select(AuditEntry).where(AuditEntry.action == "sample")).one()
    assert entry.account_id == account.id


def test_the_last_use_is_noted_at_most_once_a_minute(app):
    shown = factories.token(factories.account())
    ask(app, shown)
    [token] = db.session.scalars(db.select(ApiToken)).all()
    first = token.last_used_at
    assert first is not None
    ask(app, shown)
    db.session.expire_all()
    assert token.last_used_at == first
    token.last_used_at = earlier = first - timedelta(minutes=2)
    db.session.commit()
    ask(app, shown)
    db.session.expire_all()
    assert token.last_used_at > earlier


def test_who_shows_wrong_tokens_too_often_is_told_to_stop_and_others_are_not_kept_out(app):
    limit = settings().sign_in_failures_by_address
    wrong = {"Authorization": "Bearer sn_wrong"}
    assert {ask(app, wrong).status_code for _ in range(limit)} == {401}
    stopped = ask(app, wrong)
    assert (stopped.status_code, int(stopped.headers["Retry-After"]) > 0) == (429, True)
    noted = db.session.scalar(db.select(db.func.count()).select_from(SignInAttempt))
    assert noted == limit
    assert ask(app, factories.token(factories.account())).status_code == 200
    write(lambda: add_account("ada@example.org", "Ada", "correct horse battery", [(Role.MANAGER, None)]).id)
    assert write(lambda: attempt_sign_in("ada@example.org", True, "127.0.0.1", settings()) is not None)


def test_what_another_account_holds_is_not_taken_for_that_of_the_one_behind_the_request(app):
    here, there = factories.organisation(), factories.organisation()
    one, other = (factories.account(organisation=each) for each in (here, there))
    with app.test_request_context(headers=factories.token(one)):
        act_for_token_account()
        assert access_held_by(one).covers(here.id, Role.COORDINATOR)
        assert not access_held_by(other).covers(here.id, Role.COORDINATOR)
        assert access_held_by(other).covers(there.id, Role.COORDINATOR)
