"""Who did what to which object: one append-only row each, in the transaction of the deed itself."""

from datetime import UTC, datetime
from typing import Any

from flask import has_request_context, request
from flask_login import current_user

from models import AuditEntry, db


def record(
    action: str,
    object_name: str,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    account_id: int | None = None,
    outcome: str = "done",
) -> None:
    """Add an entry; the actor is the signed-in person unless one is named. The caller commits."""
    in_request = has_request_context()
    if account_id is None and in_request and current_user and current_user.is_authenticated:
        account_id = current_user.id
    db.session.add(
        AuditEntry(
            at=datetime.now(UTC),
            account_id=account_id,
            action=action,
            object=object_name,
            before=before,
            after=after,
            address=request.remote_addr if in_request else None,
            outcome=outcome,
        )
    )
