"""`studionett on-call`: who is told of incidents."""

import pytest
import sqlalchemy as sa
from flask import Flask

from models import OnCall, db
from tests import factories


def run(app: Flask, *words: str) -> tuple[int, str]:
    result = app.test_cli_runner().invoke(args=["on-call", *words])
    db.session.rollback()
    return result.exit_code, result.output


def test_people_and_programs_are_put_on_call_listed_and_taken_off(app: Flask) -> None:
    factories.account("kari@example.org")
    factories.credential("webhook")
    assert run(app, "add", "kari@example.org", "--level", "2", "--region", "Nord", "--until", "2099-01-01")[0] == 0
    assert run(app, "add", "https://example.org/hook", "--credential", "webhook")[0] == 0
    code, listed = run(app, "list")
    assert code == 0
    assert "level 2\tkari@example.org\tNord" in listed
    assert "2098-12-31 23:00Z" in listed  # midnight on the installation's wall clock
    assert "level 1\thttps://example.org/hook\tall regions" in listed
    for number in db.session.scalars(sa.select(OnCall.id)).all():
        assert run(app, "remove", str(number))[0] == 0
    assert db.session.scalars(sa.select(OnCall)).all() == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["add", "nobody@example.org"], "There is no account"),
        (["add", "ftp://example.org"], "begins with https://"),
        (["add", "https://example.org"], "--credential"),
        (["add", "kari@example.org", "--level", "0"], "A level is 1 to 9"),
        (["add", "kari@example.org", "--from", "2026-01-02", "--until", "2026-01-01"], "The end must come"),
        (["add", "kari@example.org", "--from", "soon"], "Invalid value"),
        (["remove", "7"], "Nobody is on call"),
    ],
)
def test_what_cannot_be_is_told_and_changes_nothing(app: Flask, words: list[str], told: str) -> None:
    factories.account("kari@example.org")
    code, output = run(app, *words)
    assert code != 0
    assert told in output
    assert db.session.scalars(sa.select(OnCall)).all() == []
