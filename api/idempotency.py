"""A request that is sent again with its Idempotency-Key is done once and answered the same each time.

Only what was done is kept, in the transaction of the deed: a refusal leaves nothing, and the same key may try again.
What was answered then is answered again only to who holds at least what it held then: it may tell what others must not
see.
"""

import hashlib
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask import g, request
from flask_babel import gettext as _
from flask_login import current_user

from accounts.permissions import access
from accounts.rules import Access
from api.answers import Answer, Declined, as_json
from errors import Forbidden, Invalid
from models import IdempotencyKey, Role, db, insert, write

HEADER = "Idempotency-Key"
KEY_FORM = r"^[!-~]{1,200}$"  # ASCII that can be seen
REPLAYED = "Idempotency-Replayed"
KEPT = timedelta(hours=24)


def once(work: Callable[[], tuple[Any, ...]]) -> Answer:
    """Do `work` in a `write`, or answer again what was answered to the same request with the same key.

    `work` returns an `Answer`; one of 400 or more takes back what was written. Raises Invalid when the key came with
    another request before.
    """
    key: str | None = g.get("idempotency_key")
    if key is None:
        return write(lambda: _done(work))
    account_id, request_hash = current_user.id, hash_of_request(request.method, request.full_path, request.get_data())
    return write(lambda: answered_once(account_id, access(), key, request_hash, work))


def answered_once(
    account_id: int, held: Access, key: str, request_hash: str, work: Callable[[], tuple[Any, ...]]
) -> Answer:
    """To be called in a `write`. The key's row comes first: who brings the same key meanwhile waits for our end, and
    then finds the row with the answer, or none and its own turn."""
    now = datetime.now(UTC)
    own = IdempotencyKey.account_id == account_id, IdempotencyKey.key == key
    db.session.execute(sa.delete(IdempotencyKey).where(*own, IdempotencyKey.created_at < now - KEPT))
    if not _inserted(account_id=account_id, key=key, request_hash=request_hash, created_at=now):
        kept = db.session.execute(
            sa.select(IdempotencyKey.request_hash, IdempotencyKey.status, IdempotencyKey.body).where(*own)
        ).one()
        return _again(kept.request_hash == request_hash, kept.status, kept.body, held)
    answer = _done(work)
    kept_answer = {"content": as_json(answer.content), "headers": dict(answer.headers), "held": _as_kept(held)}
    db.session.execute(sa.update(IdempotencyKey).where(*own).values(status=answer.status, body=kept_answer))
    return answer


def hash_of_request(method: str, address: str, body: bytes) -> str:
    return hashlib.sha256(b"\n".join([method.encode(), address.encode("utf-8", "replace"), body])).hexdigest()


def read_key() -> None:
    """Take the request's key into account. Raises Invalid when it is none."""
    g.idempotency_key = key = request.headers.get(HEADER)
    if key is not None and not re.fullmatch(KEY_FORM, key):
        raise Invalid(_("An Idempotency-Key is 1 to 200 visible ASCII characters."), HEADER)


def delete_old() -> int:
    """Forget what is older than a day; returns how many."""
    old = sa.delete(IdempotencyKey).where(IdempotencyKey.created_at < datetime.now(UTC) - KEPT)
    return write(lambda: db.session.execute(old).rowcount)  # type: ignore[attr-defined]


def _done(work: Callable[[], tuple[Any, ...]]) -> Answer:
    answer = Answer(*work())
    if answer.status >= 400:
        raise Declined(answer)
    return answer


def _inserted(**row: Any) -> bool:
    """Whether the row was put in; on PostgreSQL this waits for another transaction with the same key to end."""
    statement = insert(IdempotencyKey).values(**row).on_conflict_do_nothing().returning(IdempotencyKey.id)
    return db.session.scalar(statement) is not None


def _again(is_same: bool, status: int, body: dict[str, Any], held: Access) -> Answer:
    if not is_same:
        raise Invalid(_("This Idempotency-Key came with another request before. Take a new one."), HEADER)
    if not _still_holds(held, body.get("held", [])):
        raise Forbidden(_("This was done, but your roles have changed since: read it anew at its own address."))
    return Answer(body["content"], status, {**body["headers"], REPLAYED: "true"})


def _as_kept(held: Access) -> list[Any]:
    """Each role with the organisations that it is held for; null for all of them."""
    return [
        [grant.role.value, None if grant.organisation_ids is None else sorted(grant.organisation_ids)]
        for grant in held.grants
    ]


def _still_holds(held: Access, kept: list[Any]) -> bool:
    return all(
        held.everywhere(Role(role)) if ids is None else all(held.covers(key, Role(role)) for key in ids)
        for role, ids in kept
    )
