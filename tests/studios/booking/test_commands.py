"""`studionett studio` and `studionett bridge`, as they are typed."""

import pytest

from models import AuditEntry, Bridge, Studio, db
from tests import factories


@pytest.fixture
def typed(app):
    runner = app.test_cli_runner()

    def run(*arguments: str) -> tuple[int, str]:
        told = runner.invoke(args=list(arguments))
        db.session.remove()
        return told.exit_code, told.output

    return run


def test_terms_are_set_and_what_is_not_named_stays(typed):
    code = factories.studio(clear_down_minutes=5).code
    assert typed("studio", "terms", code, "--hours", "mon-fri 08:00-15:30", "--setup", "10", "--private")[0] == 0
    studio = db.session.scalars(db.select(Studio)).one()
    assert studio.bookable_hours == {day: ["08:00-15:30"] for day in ("mon", "tue", "wed", "thu", "fri")}
    assert (studio.setup_minutes, studio.clear_down_minutes, studio.shared) == (10, 5, False)
    assert typed("studio", "terms", code, "--hours", "always", "--approval")[0] == 0
    studio = db.session.scalars(db.select(Studio)).one()
    assert (studio.bookable_hours, studio.needs_approval, studio.shared) == (None, True, False)
    assert db.session.scalars(db.select(AuditEntry.action)).all() == ["studio.terms", "studio.terms"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--hours", "mon-fri 8-25"), "look like 08:00-15:30"),
        (("--setup", "241"), "from 0 to 240 minutes"),
        (("--setup", "-1"), "from 0 to 240 minutes"),
    ],
)
def test_what_makes_no_sense_is_one_sentence_and_changes_nothing(typed, arguments, sentence):
    code = factories.studio().code
    exit_code, told = typed("studio", "terms", code, "--private", *arguments)
    assert exit_code == 1
    assert sentence in told
    assert len(told.splitlines()) == 1
    assert db.session.scalars(db.select(Studio)).one().shared


def test_an_unknown_studio_is_one_sentence(typed):
    assert typed("studio", "terms", "NOBODY") == (1, "Error: There is no studio with the code NOBODY.\n")


def test_a_bridge_is_added_changed_listed_and_retired(typed):
    assert typed("bridge", "set", "Nord", "https://127.0.0.1", "--ports", "40", "--region", "Nord")[0] == 0
    assert typed("bridge", "set", "Nord", "https://127.0.0.1", "--ports", "60")[0] == 0
    assert "60 ports" in typed("bridge", "list")[1]
    assert typed("bridge", "retire", "Nord")[0] == 0
    assert db.session.scalars(db.select(Bridge)).one().retired_at is not None
    assert typed("bridge", "retire", "Sør") == (1, "Error: There is no bridge named Sør.\n")
