"""Sending what waits in the outbox. Any number of senders side by side: each message is claimed by a lease.

The window that no sender can close: a server takes a mail and the sender dies before it could write that down. The mail
is then sent again, with the same Message-ID. See docs/decisions/011-mail-is-sent-at-least-once.md.
"""

import os
import random
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.headerregistry import Address
from functools import partial
from secrets import token_hex
from time import monotonic

import sqlalchemy as sa
import structlog

from config import MailServer, settings
from messages.composing import compose
from messages.rules import Verdict, delay, mailbox, masked
from messages.smtp import Connection, MailFailed, connected
from models import Message, database_now, db, write

TERM = timedelta(seconds=90)
# What is kept of a lease for writing down what came of it.
MARGIN = timedelta(seconds=30)
BATCH = 100  # messages over one connection; servers end those that go on for ever
SWEEP = 20.0  # seconds after which a sweep begins nothing more, so that a stop is not held up
EXPIRED = "It expired before it could be sent."

MAILS, POSTS = Message.signed_with_id.is_(None), Message.signed_with_id.is_not(None)

log = structlog.get_logger()


@dataclass(frozen=True)
class Claimed:
    """A message that is this sender's until `ends_at` of the monotonic clock, taken before the database was asked."""

    id: int
    key: str
    recipient: str
    subject: str
    body: str
    attachments: list[dict[str, str]]
    created_at: datetime
    expires_at: datetime
    attempts: int
    signed_with_id: int | None
    owner: str
    ends_at: float


def send_due() -> int:
    """Send what is due, as far as the mail server takes it; returns how many were sent. Cheap when nothing is due."""
    if is_any_due(Message.expires_at <= database_now()):
        write(expire)
    found = settings()
    if found.smtp_url is None or found.mail_from is None or not is_any_due(MAILS):
        return 0
    sender = Sender(found.smtp_url, found.smtp_ca, found.mail_from)
    while sender.send_batch():
        pass
    return sender.sent


class Sender:
    """Takes messages to one server under a name of its own."""

    def __init__(self, server: MailServer, ca: str, mail_from: Address) -> None:
        self._server = server
        self._ca = ca
        self._from = mail_from
        self._name = f"{socket.gethostname()[:40]}-{os.getpid()}-{token_hex(6)}"
        self._begins_until = monotonic() + SWEEP
        self.sent = 0

    def send_batch(self) -> bool:
        """Send up to a batch over one connection; says whether to go on with another.

        1. Connect before anything is claimed: a dead server costs one message an attempt, not all of them.
        2. Claim one message; the transaction ends before a word is said to the server.
        3. Hand it over, with a deadline well within the lease.
        4. Write down what came of it and claim the next; stop where the server takes nothing more.
        """
        try:
            with connected(self._server, self._ca) as connection:
                return self._send_over(connection)
        except MailFailed as failure:
            log.warning("mail server failed", reason=str(failure))
            if claimed := self._claim():
                write(partial(keep_failure, claimed, failure))
            return False

    def _send_over(self, connection: Connection) -> bool:
        claimed = self._claim()
        for to_come in reversed(range(BATCH)):
            if claimed is None:
                return False
            failure = self._hand_over(connection, claimed)
            is_over = self._is_over(failure)
            # One transaction for both: to wait for the disk is the larger part of what a message costs.
            claimed = write(partial(self._keep, claimed, failure, takes_next=to_come > 0 and not is_over))
            if is_over:
                return False
        return True

    def _is_over(self, failure: MailFailed | None) -> bool:
        """Nothing more is to be begun in this sweep."""
        return monotonic() > self._begins_until or (failure is not None and failure.verdict is Verdict.SERVER)

    def _claim(self) -> Claimed | None:
        return write(partial(claim, self._name, MAILS))

    def _keep(self, claimed: Claimed, failure: MailFailed | None, *, takes_next: bool) -> Claimed | None:
        """Write down what came of a message, and claim the next."""
        if failure is None:
            keep_sent(claimed.id)
        else:
            keep_failure(claimed, failure)
        return claim(self._name, MAILS) if takes_next else None

    def _hand_over(self, connection: Connection, claimed: Claimed) -> MailFailed | None:
        who = {"message": claimed.id, "recipient": masked(claimed.recipient)}
        try:
            recipient, content = self._mail(claimed)
            connection.hand_over(self._from.addr_spec, recipient, content, claimed.ends_at)
        except MailFailed as failure:
            log.warning("mail not sent", **who, reason=str(failure))
            return failure
        log.info("mail sent", **who)
        self.sent += 1
        return None

    def _mail(self, claimed: Claimed) -> tuple[str, bytes]:
        """What goes to the server. One message that can't be written as mail must not hold up those after it."""
        try:
            recipient = mailbox(claimed.recipient) or ""
            mail = compose(
                key=claimed.key,
                created_at=claimed.created_at,
                sender=self._from,
                recipient=recipient,
                subject=claimed.subject,
                body=claimed.body,
                attachments=claimed.attachments,
            )
            return recipient, mail.as_bytes()
        except Exception as error:  # the email package raises many kinds
            raise MailFailed(f"The mail cannot be written: {type(error).__name__}.", Verdict.NEVER) from error


def claim(owner: str, which: sa.ColumnElement[bool]) -> Claimed | None:
    """Take the one that has been due longest of `which`, in the caller's `write`. Whoever dies with it loses it with
    the lease. A lease further ahead than two terms is void: a clock was stepped. One term would not do, since another's
    lease may have been taken after `now` was asked for."""
    ends_at = monotonic() + (TERM - MARGIN).total_seconds()
    now = database_now()
    longest = db.select(Message.id).where(which, *_due(now)).order_by(Message.due_at, Message.id).limit(1)
    row = db.session.execute(
        sa.update(Message)
        .where(Message.id == longest.with_for_update(skip_locked=True).scalar_subquery(), *_due(now))
        .values(lease_owner=owner, lease_until=now + TERM, attempts=Message.attempts + 1)
        .returning(
            Message.id,
            Message.key,
            Message.recipient,
            Message.subject,
            Message.body,
            Message.attachments,
            Message.created_at,
            Message.expires_at,
            Message.attempts,
            Message.signed_with_id,
        )
        .execution_options(synchronize_session=False)
    ).one_or_none()
    return Claimed(**row._mapping, owner=owner, ends_at=ends_at) if row else None


def keep_sent(message_id: int) -> None:
    """It was sent: true even if the lease was lost meanwhile."""
    values = {"sent_at": database_now(), "due_at": None, "last_error": None, "given_up_at": None, **_FREE}
    _update(Message.id == message_id, Message.sent_at.is_(None), values=values)


def keep_failure(claimed: Claimed, failure: MailFailed) -> None:
    """When to try next, or that it is given up; nothing if another sender has it now."""
    now = database_now()
    values: dict[str, object] = {"last_error": str(failure), **_FREE}
    if failure.verdict is Verdict.NEVER:
        values |= {"due_at": None, "given_up_at": now}
    else:
        next_at = now + delay(claimed.attempts, random.random())
        values["due_at"] = min(next_at, claimed.expires_at)
    _update(Message.id == claimed.id, Message.lease_owner == claimed.owner, values=values)


def expire() -> None:
    """Give up what nobody would want to read any more; with the error that kept it, if there was one."""
    now = database_now()
    reason = sa.func.coalesce(Message.last_error, EXPIRED)
    values = {"due_at": None, "given_up_at": now, "last_error": reason, **_FREE}
    _update(*_due(now), Message.expires_at <= now, values=values)


_FREE = {"lease_owner": None, "lease_until": None}


def _update(*where: sa.ColumnElement[bool], values: Mapping[str, object]) -> None:
    db.session.execute(
        sa.update(Message).where(*where).values(dict(values)).execution_options(synchronize_session=False)
    )


def _due(now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    free = sa.or_(Message.lease_until.is_(None), Message.lease_until <= now, Message.lease_until > now + 2 * TERM)
    return Message.due_at.is_not(None), Message.due_at <= now, free


def is_any_due(*where: sa.ColumnElement[bool]) -> bool:
    """Whether there is anything to send now, of those."""
    found = db.session.scalar(db.select(Message.id).where(*_due(database_now()), *where).limit(1))
    db.session.rollback()  # no transaction stays open while the mail server is spoken to
    return found is not None
