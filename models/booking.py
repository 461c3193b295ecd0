"""Conferences, who sits at their table, the studios' time they take; series, what waits, what is asked of others."""

import enum
import uuid
from datetime import date, datetime, time
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.accounts import Account
from models.database import Model, UTCDateTime, choice
from models.inventory import Credential, Organisation, Site, Studio

REFERENCE_PREFIX = "K-"
REFERENCE_BASE = 10_000


def new_uid() -> str:
    """A unique identifier for an iCalendar entry (RFC 7986, 5.3)."""
    return str(uuid.uuid4())


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


class BridgeDriver(enum.StrEnum):
    PEXIP = "pexip"


class RequestState(enum.StrEnum):
    """Of what waits for an answer: a request on the waiting list, or a swap that was asked for."""

    WAITING = "waiting"
    OFFERED = "offered"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class Bridge(Model):
    """A conference bridge. The database refuses more ports at once than it has.

    `address` is where it is steered, `dial_domain` that of the addresses of its rooms, `system_location` from where it
    is to dial; none: it chooses.
    """

    __tablename__ = "bridge"
    __table_args__ = (sa.CheckConstraint("ports >= 0", name="ports"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(100), unique=True)
    driver: Mapped[BridgeDriver] = mapped_column(choice(BridgeDriver, "driver"))
    address: Mapped[str] = mapped_column(sa.String(255))
    dial_domain: Mapped[str] = mapped_column(sa.String(255), default="")
    system_location: Mapped[str] = mapped_column(sa.String(100), default="", server_default="")
    control_credential_id: Mapped[int | None] = mapped_column(sa.ForeignKey("credential.id"), index=True)
    health_region: Mapped[str] = mapped_column(sa.String(40), default="")
    ports: Mapped[int]
    retired_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    control_credential: Mapped[Credential | None] = relationship()


class Series(Model):
    """A recurrence in the wall clock of `zone`. Its occurrences are conferences; the rule alone books nothing."""

    __tablename__ = "series"
    __table_args__ = (sa.CheckConstraint("minutes > 0", name="minutes"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(sa.ForeignKey("organisation.id"), index=True)
    rule: Mapped[str] = mapped_column(sa.String(500))
    first_day: Mapped[date]
    start_time: Mapped[time]
    minutes: Mapped[int]
    zone: Mapped[str] = mapped_column(sa.String(64))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    version: Mapped[int] = mapped_column(default=1)

    conferences: Mapped[list["Conference"]] = relationship(back_populates="series", order_by="Conference.recurs_at")


_IS_TO_BE_TOLD = sa.text("tell_at IS NOT NULL")


class Conference(Model):
    """One conference. `due_at` is when the scheduler must look at it next; none when nothing is left to do. `tell_at`
    is when those concerned are written to of what has changed; none when they know.

    Without `video` its rooms are only marked as used: nothing is called. `uid` is its iCalendar UID for life, shared by
    the occurrences of a series; `sequence` rises with each change, and `recurs_at` is the start that the series' rule
    gave it (RECURRENCE-ID). `detached`: an occurrence that was moved or reseated by itself, which edits of the whole
    series leave where it is. `ports` are those it takes of its bridge. `joined_at`: somebody in a room let it begin
    before its start. `warned_minutes`: for how many minutes before the end the screens have last been told;
    `extended_minutes`: by how much it went on by itself.

    The lease belongs to the scheduler process that is working on the calls; `lease_version` rises with each lease, so
    that a late worker can be fenced out.
    """

    __tablename__ = "conference"
    __table_args__ = (
        sa.CheckConstraint("ends_at > starts_at", name="ends_after_start"),
        sa.Index(None, "starts_at", "ends_at"),
        sa.Index(None, "organisation_id", "starts_at"),
        sa.Index(None, "bridge_id", "starts_at"),
        sa.Index(None, "tell_at", sqlite_where=_IS_TO_BE_TOLD, postgresql_where=_IS_TO_BE_TOLD),
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
    video: Mapped[bool] = mapped_column(default=True, server_default=sa.true())
    booked_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"))
    series_id: Mapped[int | None] = mapped_column(sa.ForeignKey("series.id"), index=True)
    recurs_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    detached: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    uid: Mapped[str] = mapped_column(sa.String(80), index=True, default=new_uid, server_default="")
    sequence: Mapped[int] = mapped_column(default=0, server_default="0")
    bridge_id: Mapped[int | None] = mapped_column(sa.ForeignKey("bridge.id"))
    ports: Mapped[int] = mapped_column(default=0, server_default="0")
    joined_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    warned_minutes: Mapped[int | None]
    extended_minutes: Mapped[int] = mapped_column(default=0, server_default="0")
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    due_at: Mapped[datetime | None] = mapped_column(UTCDateTime, index=True)
    tell_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    lease_owner: Mapped[str | None] = mapped_column(sa.String(80))
    lease_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    lease_version: Mapped[int] = mapped_column(default=0)

    organisation: Mapped[Organisation] = relationship()
    organiser: Mapped[Account | None] = relationship(foreign_keys=organiser_id)
    booked_by: Mapped[Account | None] = relationship(foreign_keys=booked_by_id)
    series: Mapped[Series | None] = relationship(back_populates="conferences")
    bridge: Mapped[Bridge | None] = relationship()
    parties: Mapped[list["Party"]] = relationship(back_populates="conference", order_by="Party.position")
    reservations: Mapped[list["Reservation"]] = relationship(back_populates="conference", order_by="Reservation.id")

    @property
    def reference(self) -> str:
        """What people call it, such as K-18342. It follows from the key and is never stored twice."""
        return Conference.reference_of(self.id)

    @staticmethod
    def reference_of(conference_id: int) -> str:
        return f"{REFERENCE_PREFIX}{REFERENCE_BASE + conference_id}"

    @staticmethod
    def id_of(reference: str) -> int | None:
        """The key that a reference stands for, or None when it is no reference."""
        digits = reference.upper().removeprefix(REFERENCE_PREFIX)
        if not (digits.isascii() and digits.isdigit() and len(digits) <= 9):
            return None
        return int(digits) - REFERENCE_BASE


class Invitation(Model):
    """What somebody was last told of a conference by mail: at which `sequence`, and whether that it is cancelled.
    `digest` is a hash of what matters to them, so that they are told nothing twice."""

    __tablename__ = "invitation"

    conference_id: Mapped[int] = mapped_column(sa.ForeignKey("conference.id"), primary_key=True)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("account.id"), primary_key=True, index=True)
    sequence: Mapped[int]
    cancelled: Mapped[bool]
    digest: Mapped[str] = mapped_column(sa.String(64))
    told_at: Mapped[datetime] = mapped_column(UTCDateTime)


class Party(Model):
    """One place at the table, in order: what was asked for, and the reservation that was chosen for it.

    `organisation_id` is the invited organisation; `answer` is its word. Declined by nobody (`answered_by_id` is none)
    is a request for approval that nobody answered in time.
    """

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
    answer_reason: Mapped[str | None] = mapped_column(sa.String(200))
    answered_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    answered_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"))
    reservation_id: Mapped[int | None] = mapped_column(sa.ForeignKey("reservation.id"), index=True)

    conference: Mapped[Conference] = relationship(back_populates="parties")
    organisation: Mapped[Organisation | None] = relationship()
    reservation: Mapped["Reservation | None"] = relationship()


_IS_HOLD = sa.text("waiting_request_id IS NOT NULL")
_RUNS_OUT = sa.text("expires_at IS NOT NULL AND released_at IS NULL")


class Reservation(Model):
    """One studio's time, buffers included. Two that are not released never overlap: the database refuses it.

    A hold belongs to an offer on the waiting list; it and a pending request count until they expire.
    """

    __tablename__ = "reservation"
    __table_args__ = (
        sa.CheckConstraint("ends_at > starts_at", name="ends_after_start"),
        sa.Index(None, "starts_at", "ends_at", "studio_id"),
        sa.Index(None, "studio_id", "starts_at"),
        # Few rows: what runs out is asked for every few seconds.
        sa.Index(None, "expires_at", sqlite_where=_RUNS_OUT, postgresql_where=_RUNS_OUT),
        # Only of holds: SQLite takes an index of almost nothing but NULL for a useless one.
        sa.Index(None, "waiting_request_id", sqlite_where=_IS_HOLD, postgresql_where=_IS_HOLD),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    studio_id: Mapped[int] = mapped_column(sa.ForeignKey("studio.id"))
    conference_id: Mapped[int | None] = mapped_column(sa.ForeignKey("conference.id"), index=True)
    starts_at: Mapped[datetime] = mapped_column(UTCDateTime)
    ends_at: Mapped[datetime] = mapped_column(UTCDateTime)
    kind: Mapped[ReservationKind] = mapped_column(choice(ReservationKind, "kind"), default=ReservationKind.CONFERENCE)
    expires_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    released_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    waiting_request_id: Mapped[int | None] = mapped_column(sa.ForeignKey("waiting_request.id"))

    studio: Mapped[Studio] = relationship()
    conference: Mapped[Conference | None] = relationship(back_populates="reservations")
    waiting_request: Mapped["WaitingRequest | None"] = relationship(back_populates="holds")

    @classmethod
    def is_held(cls, now: datetime) -> sa.ColumnElement[bool]:
        """For queries: neither released nor expired."""
        return sa.and_(cls.released_at.is_(None), sa.or_(cls.expires_at.is_(None), cls.expires_at > now))


class WaitingRequest(Model):
    """A request that waits for time to come free between `earliest` and `latest`; served in the order of the keys.

    `booking` is what was asked for (`studios.booking.wishes`). `conference_id` is the conference that gets the time,
    when it exists already: one that had to give way. An offer stands, its studios held, until `offer_expires_at`.
    """

    __tablename__ = "waiting_request"
    __table_args__ = (sa.CheckConstraint("latest > earliest", name="latest_after_earliest"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(sa.ForeignKey("organisation.id"), index=True)
    account_id: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"), index=True)
    conference_id: Mapped[int | None] = mapped_column(sa.ForeignKey("conference.id"), index=True)
    booking: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    earliest: Mapped[datetime] = mapped_column(UTCDateTime)
    latest: Mapped[datetime] = mapped_column(UTCDateTime)
    state: Mapped[RequestState] = mapped_column(choice(RequestState, "state"), default=RequestState.WAITING, index=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    offered_start: Mapped[datetime | None] = mapped_column(UTCDateTime)
    offered_end: Mapped[datetime | None] = mapped_column(UTCDateTime)
    offer_expires_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    organisation: Mapped[Organisation] = relationship()
    account: Mapped[Account | None] = relationship()
    conference: Mapped[Conference | None] = relationship()
    holds: Mapped[list[Reservation]] = relationship(back_populates="waiting_request", order_by="Reservation.id")


class Swap(Model):
    """Somebody asks the owner of a movable conference to move it, so that their own can have its time.

    `booking` is what they want to book at that time, or how they want `own_conference_id` to be. `proposed_start` and
    `proposed_studios` (keys, in the order of its table) are where the other conference would go. `conference_version`
    is what was looked at when it was proposed: a swap of something else is not what anybody agreed to.
    """

    __tablename__ = "swap"

    id: Mapped[int] = mapped_column(primary_key=True)
    conference_id: Mapped[int] = mapped_column(sa.ForeignKey("conference.id"), index=True)
    conference_version: Mapped[int]
    own_conference_id: Mapped[int | None] = mapped_column(sa.ForeignKey("conference.id"), index=True)
    own_version: Mapped[int | None]
    organisation_id: Mapped[int] = mapped_column(sa.ForeignKey("organisation.id"), index=True)
    asked_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"))
    booking: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    reason: Mapped[str] = mapped_column(sa.String(200), default="")
    proposed_start: Mapped[datetime] = mapped_column(UTCDateTime)
    proposed_end: Mapped[datetime] = mapped_column(UTCDateTime)
    proposed_studios: Mapped[list[int]] = mapped_column(sa.JSON)
    state: Mapped[RequestState] = mapped_column(choice(RequestState, "state"), default=RequestState.WAITING, index=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    answered_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    answered_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"))
    answer_reason: Mapped[str | None] = mapped_column(sa.String(200))
    booked_id: Mapped[int | None] = mapped_column(sa.ForeignKey("conference.id"))

    conference: Mapped[Conference] = relationship(foreign_keys=conference_id)
    own_conference: Mapped[Conference | None] = relationship(foreign_keys=own_conference_id)
    organisation: Mapped[Organisation] = relationship()
    asked_by: Mapped[Account | None] = relationship(foreign_keys=asked_by_id)


class Draft(Model):
    """A request for a conference that somebody has begun; it may lack anything, and holds no studio."""

    __tablename__ = "draft"

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("account.id"), index=True)
    content: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    saved_at: Mapped[datetime] = mapped_column(UTCDateTime)


class PartyGroup(Model):
    """Parties that somebody meets again and again, under a name of their own; `parties` as programs ask for them."""

    __tablename__ = "party_group"
    __table_args__ = (sa.UniqueConstraint("account_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("account.id"))
    name: Mapped[str] = mapped_column(sa.String(80))
    parties: Mapped[list[dict[str, Any]]] = mapped_column(sa.JSON)
    saved_at: Mapped[datetime] = mapped_column(UTCDateTime)


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
