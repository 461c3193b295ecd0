"""Requests that somebody has begun and put aside: their own, and holding no studio. The caller commits."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from errors import Conflict, Invalid, NotFound
from models import Account, Draft, db
from studios.booking.identity import holds_identity_number

MOST_DRAFTS = 100
LARGEST = 20_000
"""Characters of a draft as JSON: fifty parties with long names take half of it."""


def drafts_of(person: Account) -> Sequence[Draft]:
    """The newest first."""
    return db.session.scalars(
        db.select(Draft).where(Draft.account_id == person.id).order_by(Draft.saved_at.desc(), Draft.id.desc())
    ).all()


def own_draft(draft_id: int, person: Account) -> Draft:
    """Raises NotFound, also for somebody else's: drafts are nobody else's business."""
    found = db.session.scalar(db.select(Draft).where(Draft.id == draft_id, Draft.account_id == person.id))
    if found is None:
        raise NotFound(_("You have no such draft."))
    return found


def save_draft(content: Mapping[str, Any], person: Account, draft_id: int | None = None) -> Draft:
    """Keep a request as it is, complete or not; over the draft `draft_id` where that is given."""
    _check(content)
    if draft_id is not None:
        draft = own_draft(draft_id, person)
        draft.content, draft.saved_at = dict(content), datetime.now(UTC)
        return draft
    count = db.session.scalar(sa.select(sa.func.count(Draft.id)).where(Draft.account_id == person.id)) or 0
    if count >= MOST_DRAFTS:
        raise Conflict(_("You have %(count)s drafts. Delete some first.", count=count))
    draft = Draft(account_id=person.id, content=dict(content), saved_at=datetime.now(UTC))
    db.session.add(draft)
    db.session.flush()
    return draft


def delete_draft(draft_id: int, person: Account) -> None:
    db.session.delete(own_draft(draft_id, person))


def _check(content: Mapping[str, Any]) -> None:
    text = json.dumps(content, ensure_ascii=False)
    if len(text) > LARGEST:
        raise Invalid(_("That is too much text for a draft."))
    if holds_identity_number(text):
        raise Invalid(_("The draft holds a national identity number. Say what it is about without naming a patient."))
