"""Drafts are their owner's, may lack anything, and hold no studio."""

import pytest

from errors import Conflict, Invalid, NotFound
from models import db, write
from studios.booking.drafts import MOST_DRAFTS, delete_draft, drafts_of, own_draft, save_draft
from tests import factories


@pytest.fixture
def person(app):
    return factories.account()


def test_it_is_kept_as_it_is_and_saved_over(person):
    key = write(lambda: save_draft({"title": "Lung"}, person).id)
    write(lambda: save_draft({"title": "Lung meeting", "parties": [{}]}, person, key).id)
    assert [draft.content for draft in drafts_of(person)] == [{"title": "Lung meeting", "parties": [{}]}]


def test_nobody_else_sees_changes_or_deletes_it(person):
    key = write(lambda: save_draft({"title": "Lung"}, person).id)
    stranger = factories.account()
    for deed in (
        lambda: own_draft(key, stranger),
        lambda: save_draft({}, stranger, key),
        lambda: delete_draft(key, stranger),
    ):
        with pytest.raises(NotFound):
            write(deed)
    assert own_draft(key, person).content == {"title": "Lung"}
    write(lambda: delete_draft(key, person))
    assert drafts_of(person) == []


@pytest.mark.parametrize("content", [{"title": "x" * 20_001}, {"parties": ["Pasient 01020300082"]}])
def test_too_much_text_and_patients_are_refused(person, content):
    with pytest.raises(Invalid):
        write(lambda: save_draft(content, person))


def test_there_is_an_end_to_them(person):
    write(lambda: [save_draft({"title": str(number)}, person) for number in range(MOST_DRAFTS)] and None)
    with pytest.raises(Conflict):
        write(lambda: save_draft({"title": "one more"}, person))
    db.session.rollback()
