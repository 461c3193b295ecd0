"""The outbox: messages that were asked for by a committed change and are to be sent, or were."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from models.database import Model, UTCDateTime


class Message(Model):
    """One mail to one person, or what is posted to a program at a web address: that is signed with the secret of
    `signed_with_id`. `key` says what it is about, and nobody is sent the same twice.

    `due_at` is when to try next; none when it was sent or given up.
    """

    __tablename__ = "message"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(sa.String(200), unique=True)
    recipient: Mapped[str] = mapped_column(sa.String(254))
    subject: Mapped[str] = mapped_column(sa.String(200))
    body: Mapped[str] = mapped_column(sa.Text)
    attachments: Mapped[list[dict[str, str]]] = mapped_column(sa.JSON, default=list)
    signed_with_id: Mapped[int | None] = mapped_column(sa.ForeignKey("credential.id"))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    due_at: Mapped[datetime | None] = mapped_column(UTCDateTime, index=True)
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None] = mapped_column(sa.String(200))
    sent_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    given_up_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    lease_owner: Mapped[str | None] = mapped_column(sa.String(80))
    lease_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
