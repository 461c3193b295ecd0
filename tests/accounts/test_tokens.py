from datetime import UTC, datetime, timedelta

import pytest

from accounts.commands import token as token_command
from accounts.rules import Scope, TokenState, scope_suffices, token_state
from accounts.tokens import create_token, revoke, token_by_secret
from errors import Invalid
from models import ApiToken, AuditEntry, Role, db, write
from tests import factories

ENGLISH = {"Accept-Language": "en"}
DAY = timedelta(days=1)
NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)


def made(account, *scopes, lifetime=DAY, now=None):
    return write(lambda: create_token(account, "nightly plan", scopes or (Scope.READ,), lifetime, now)[1])


def only_token():
    return db.session.scalars(db.select(ApiToken)).one()


def test_who_may_write_may_read_and_not_the_other_way_round():
    assert scope_suffices(["book"], Scope.READ)
    assert scope_suffices(["operate"], Scope.READ)
    assert not scope_suffices(["read"], Scope.BOOK)
    assert not scope_suffices(["book"], Scope.OPERATE)
    assert not scope_suffices([], Scope.READ)
    assert not scope_suffices(["something of a later version"], Scope.READ)


def test_a_token_lasts_until_its_end_or_its_revocation():
    assert token_state(NOW, None, NOW - DAY) is TokenState.LIVE
    assert token_state(NOW, None, NOW) is TokenState.EXPIRED
    assert token_state(NOW + DAY, NOW, NOW) is TokenState.REVOKED


def test_the_secret_opens_and_is_kept_nowhere(app):
    account = factories.account()
    secret = made(account)
    kept = only_token()
    assert secret.startswith("sn_")
    assert len(secret) == len("sn_") + 43  # 32 bytes in base64
    assert secret not in str({column.name: getattr(kept, column.name) for column in ApiToken.__table__.columns})
    assert token_by_secret(secret, datetime.now(UTC)) is kept
    assert token_by_secret(secret + "x", datetime.now(UTC)) is None
    assert token_by_secret(secret.removeprefix("sn_"), datetime.now(UTC)) is None


def test_a_token_that_has_run_out_was_revoked_or_whose_account_is_disabled_counts_no_more(app):
    now = datetime.now(UTC)
    expired, revoked, disabled = made(factories.account()), made(factories.account()), factories.account()
    of_disabled = made(disabled)
    assert token_by_secret(expired, now + 2 * DAY) is None
    write(lambda: revoke(token_by_secret(revoked, now)))
    disabled.disabled_at = now
    db.session.commit()
    assert token_by_secret(revoked, now) is None
    assert token_by_secret(of_disabled, now) is None


@pytest.mark.parametrize(
    ("name", "scopes", "lifetime"),
    [
        ("", [Scope.READ], DAY),
        ("x" * 101, [Scope.READ], DAY),
        ("a\0b", [Scope.READ], DAY),
        ("a", [], DAY),
        ("a", [Scope.READ], timedelta()),
        ("a", [Scope.READ], timedelta(days=367)),
    ],
)
def test_a_token_needs_a_name_a_use_and_an_end(app, name, scopes, lifetime):
    account = factories.account()
    with pytest.raises(Invalid):
        write(lambda: create_token(account, name, scopes, lifetime))


def test_making_and_revoking_are_in_the_audit_trail_without_the_secret(app):
    secret = made(factories.account())
    write(lambda: revoke(only_token()))
    write(lambda: revoke(only_token()))
    entries = db.session.scalars(db.select(AuditEntry).order_by(AuditEntry.id)).all()
    assert [entry.action for entry in entries] == ["token.created", "token.revoked"]
    assert secret not in str([entry.after for entry in entries])


def test_a_person_makes_a_token_sees_it_once_and_revokes_it(app, client_for):
    client = client_for(factories.account(role=Role.MANAGER))
    answer = client.post(
        "/account/tokens", data={"name": "Timeplan", "scopes": ["read", "book"], "days": "30"}, headers=ENGLISH
    )
    kept = only_token()
    secret = answer.text.partition('id="secret">')[2].partition("<")[0]
    assert token_by_secret(secret, datetime.now(UTC)) is kept
    assert (kept.scopes, kept.expires_at - kept.created_at) == (["book", "read"], timedelta(days=30))
    page = client.get("/account/tokens", headers=ENGLISH).text
    assert "Timeplan" in page
    assert secret not in page
    assert "Revoke Timeplan?" in client.get(f"/account/tokens/{kept.id}/revoke", headers=ENGLISH).text
    assert client.post(f"/account/tokens/{kept.id}/revoke").headers["Location"] == "/account/tokens"
    db.session.rollback()
    assert token_by_secret(secret, datetime.now(UTC)) is None
    assert "Revoked" in client.get("/account/tokens", headers=ENGLISH).text


@pytest.mark.parametrize(
    "typed",
    [
        {"scopes": ["read"], "days": "30"},
        {"name": "a", "days": "30"},
        {"name": "a", "scopes": ["everything"], "days": "30"},
        {"name": "a", "scopes": ["read"], "days": "100000"},
        {"name": "a\0b", "scopes": ["read"], "days": "30"},
        {"name": "   ", "scopes": ["read"], "days": "30"},
    ],
)
def test_what_makes_no_token_is_told_beside_its_field(app, client_for, typed):
    answer = client_for(factories.account()).post("/account/tokens", data=typed, headers=ENGLISH)
    assert answer.status_code == 422
    assert "field__error" in answer.text
    assert not db.session.scalars(db.select(ApiToken)).all()


def test_nobody_sees_or_ends_the_tokens_of_others(app, client_for):
    made(factories.account())
    number = only_token().id
    stranger = client_for(factories.account(role=Role.ADMINISTRATOR))
    assert "nightly plan" not in stranger.get("/account/tokens").text
    for address in (f"/account/tokens/{number}/revoke", f"/account/tokens/{2**70}/revoke"):
        assert (stranger.get(address).status_code, stranger.post(address).status_code) == (404, 404)
    db.session.rollback()
    assert only_token().revoked_at is None


def test_the_command_line_makes_lists_and_revokes(app):
    account, runner = factories.account(), app.test_cli_runner()
    created = runner.invoke(token_command, ["create", account.email, "--name", "cron", "--scope", "book"])
    assert (created.exit_code, created.stdout.count("\n")) == (0, 1)
    assert token_by_secret(created.stdout.strip(), datetime.now(UTC)).scopes == ["book"]
    number = only_token().id
    assert f"{number}\tlive\tbook\t" in runner.invoke(token_command, ["list", account.email]).stdout
    assert runner.invoke(token_command, ["revoke", str(number)]).exit_code == 0
    assert f"{number}\trevoked\t" in runner.invoke(token_command, ["list", account.email]).stdout


@pytest.mark.parametrize(
    "typed",
    [
        ["create", "nobody@example.org"],
        ["list", "nobody@example.org"],
        ["revoke", "999"],
        ["create", "{email}", "--days", "99999999999999"],
        ["create", "{email}", "--days", "-5"],
    ],
)
def test_the_command_line_refuses_in_a_sentence(app, typed):
    email = factories.account().email
    refused = app.test_cli_runner().invoke(token_command, [part.format(email=email) for part in typed])
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert refused.stderr.count("\n") == 1
    assert refused.stderr.endswith(".\n")
