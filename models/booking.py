"""Conferences, who sits at their table, and the studios' time they take."""

import enum
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.accounts import Account
from models.database import Model, UTCDateTime, choice
from models.inventory import Organisation, Site, Studio

REFERENCE_PREFIX = "K-"
REFERENCE_BASE = 10_000


class Purpose(enum.StrEnum):
    CLINICAL = "clinical"
    MULTIDISCIPLINARY = "multidisciplinary"
    ADMINISTRATION = "administration"
    EDUCATION = "education"
    TEST = "test"


class ConferenceState(enum.StrEnum):
    PLANNED = "planned"
    STARTING = "starting"
    RUNNING = "running"
    DEGRADED = "degraded"
    STOPPING = "stopping"
    ENDED = "ended"
    FAILED = "failed"
    CANCELLED = "cancelled"


class PartyKind(enum.StrEnum):
    STUDIO = "studio"
    POOL = "pool"
    GUEST = "guest"


class Answer(enum.StrEnum):
    NOT_ASKED = "not_asked"
    WAITING = "waiting"
    ACCEPTED = "accepted"
    DECLINED = "declined"


class ReservationKind(enum.StrEnum):
    CONFERENCE = "conference"
    PENDING_REQUEST = "pending_request"
    HOLD = "hold"


class Conference(Model):
    """One conference. `due_at` is when the scheduler must look at it next; none when nothing is left to do.

    The lease belongs to the scheduler process that is working on the calls; `lease_version` rises with each lease, so
    that a late worker can be fenced out.
    """

    __tablename__ = "conference"
    __table_args__ = (
        sa.CheckConstraint("ends_at > starts_at", name="ends_after_start"),
        sa.Index(None, "starts_at", "ends_at"),
        sa.Index(None, "organisation_id", "starts_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(sa.String(80))
    purpose: Mapped[Purpose] = mapped_column(choice(Purpose, "purpose"))
    organisation_id: Mapped[int] = mapped_column(sa.ForeignKey("organisation.id"))
    organiser_id: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"), index=True)
    starts_at: Mapped[datetime] = mapped_column(UTCDateTime)
    ends_at: Mapped[datetime] = mapped_column(UTCDateTime)
    state: Mapped[ConferenceState] = mapped_column(choice(ConferenceState, "state"), default=ConferenceState.PLANNED)
    priority: Mapped[int] = mapped_column(default=0)
    movable: Mapped[bool] = mapped_column(default=False)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    due_at: Mapped[datetime | None] = mapped_column(UTCDateTime, index=True)
    lease_owner: Mapped[str | None] = mapped_column(sa.String(80))
    lease_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    lease_version: Mapped[int] = mapped_column(default=0)

    organisation: Mapped[Organisation] = relationship()
    organiser: Mapped[Account | None] = relationship()
    parties: Mapped[list["Party"]] = relationship(back_populates="conference", order_by="Party.position")
    reservations: Mapped[list["Reservation"]] = relationship(back_populates="conference", order_by="Reservation.id")

    @property
    def reference(self) -> str:
        """What people call it, such as K-18342. It follows from the key and is never stored twice."""
        return f"{REFERENCE_PREFIX}{REFERENCE_BASE + self.id}"

    @staticmethod
    def id_of(reference: str) -> int | None:
        """The key that a reference stands for, or None when it is no reference."""
        digits = reference.upper().removeprefix(REFERENCE_PREFIX)
        if not (digits.isascii() and digits.isdigit() and len(digits) <= 9):
            return None
        return int(digits) - REFERENCE_BASE


class Party(Model):
    """One place at the table, in order: what was asked for, and the reservation that was chosen for it."""

    __tablename__ = "party"
    __table_args__ = (sa.UniqueConstraint("conference_id", "position"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    conference_id: Mapped[int] = mapped_column(sa.ForeignKey("conference.id"))
    position: Mapped[int]
    kind: Mapped[PartyKind] = mapped_column(choice(PartyKind, "kind"), default=PartyKind.STUDIO)
    studio_id: Mapped[int | None] = mapped_column(sa.ForeignKey("studio.id"), index=True)
    pool: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON)
    guest_address: Mapped[str | None] = mapped_column(sa.String(255))
    attendees: Mapped[int | None]
    host: Mapped[bool] = mapped_column(default=False)
    organisation_id: Mapped[int | None] = mapped_column(sa.ForeignKey("organisation.id"), index=True)
    answer: Mapped[Answer] = mapped_column(choice(Answer, "answer"), default=Answer.NOT_ASKED)
    reservation_id: Mapped[int | None] = mapped_column(sa.ForeignKey("reservation.id"), index=True)

    conference: Mapped[Conference] = relationship(back_populates="parties")
    organisation: Mapped[Organisation | None] = relationship()
    reservation: Mapped["Reservation | None"] = relationship()


class Reservation(Model):
    """One studio's time, buffers included. Two that are not released never overlap: the database refuses it."""

    __tablename__ = "reservation"
    __table_args__ = (
        sa.CheckConstraint("ends_at > starts_at", name="ends_after_start"),
        sa.Index(None, "starts_at", "ends_at", "studio_id"),
        sa.Index(None, "studio_id", "starts_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    studio_id: Mapped[int] = mapped_column(sa.ForeignKey("studio.id"))
    conference_id: Mapped[int | None] = mapped_column(sa.ForeignKey("conference.id"), index=True)
    starts_at: Mapped[datetime] = mapped_column(UTCDateTime)
    ends_at: Mapped[datetime] = mapped_column(UTCDateTime)
    kind: Mapped[ReservationKind] = mapped_column(choice(ReservationKind, "kind"), default=ReservationKind.CONFERENCE)
    expires_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    released_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    studio: Mapped[Studio] = relationship()
    conference: Mapped[Conference | None] = relationship(back_populates="reservations")


class Closure(Model):
    """A studio or a whole site out of use."""

    __tablename__ = "closure"
    __table_args__ = (
        sa.CheckConstraint("ends_at > starts_at", name="ends_after_start"),
        sa.CheckConstraint("(studio_id IS NULL) <> (site_id IS NULL)", name="studio_or_site"),
        sa.Index(None, "starts_at", "ends_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    studio_id: Mapped[int | None] = mapped_column(sa.ForeignKey("studio.id"), index=True)
    site_id: Mapped[int | None] = mapped_column(sa.ForeignKey("site.id"), index=True)
    starts_at: Mapped[datetime] = mapped_column(UTCDateTime)
    ends_at: Mapped[datetime] = mapped_column(UTCDateTime)
    reason: Mapped[str] = mapped_column(sa.String(200))
    closed_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"))

    studio: Mapped[Studio | None] = relationship()
    site: Mapped[Site | None] = relationship()
