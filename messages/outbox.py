"""What is to be sent, stored with the change that asks for it."""

from collections.abc import Sequence
from datetime import timedelta
from typing import TypedDict

from messages.rules import RECIPIENT_LENGTH, mailbox, one_line, storable
from models import Message, database_now, db, insert

NO_MAILBOX = "The recipient's address is not one that mail can be sent to."


class Attachment(TypedDict):
    """A file sent along. `type` is a MIME type such as `text/csv` or `text/calendar; method=REQUEST`."""

    name: str
    type: str
    content: str


def queue(
    *,
    key: str,
    recipient: str,
    subject: str,
    body: str,
    attachments: Sequence[Attachment] = (),
    expires_after: timedelta = timedelta(days=7),
    signed_with_id: int | None = None,
) -> None:
    """Ask for a mail, in the caller's `write`: it is sent after the commit, or never if that is rolled back. With a
    credential to sign with, the body is posted to the web address that is the recipient instead.

    `key` says what the mail is about and to whom (at most 200 characters); a second one with the same key changes
    nothing. What can't be sent to is kept and shown as given up: a wrong address must not stop the change itself.
    """
    now = database_now()
    is_sendable = signed_with_id is not None or mailbox(recipient) is not None
    row = {
        "key": key,
        "recipient": one_line(recipient, RECIPIENT_LENGTH),
        "subject": one_line(subject),
        "body": storable(body),
        "attachments": [{name: storable(str(value)) for name, value in each.items()} for each in attachments],
        "signed_with_id": signed_with_id,
        "created_at": now,
        "expires_at": now + expires_after,
        "due_at": now if is_sendable else None,
        "given_up_at": None if is_sendable else now,
        "last_error": None if is_sendable else NO_MAILBOX,
    }
    db.session.execute(insert(Message).on_conflict_do_nothing(index_elements=["key"]).values(row))
