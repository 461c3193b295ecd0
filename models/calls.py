"""The calls of running conferences, and the one timeline of what happened."""

import enum
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.accounts import Account
from models.booking import Bridge, Conference, Party
from models.database import Model, UTCDateTime, choice
from models.inventory import StartMode, Studio


class Wanted(enum.StrEnum):
    UP = "up"
    DOWN = "down"


class LegState(enum.StrEnum):
    IDLE = "idle"
    DIALLING = "dialling"
    RINGING = "ringing"
    CONNECTED = "connected"
    DROPPED = "dropped"
    FAILED = "failed"
    STOPPING = "stopping"
    STOPPED = "stopped"


class Leg(Model):
    """The call to one party of a conference, dialled by its mixing host or bridge; the host itself has none.

    `token` marks our own call at the endpoint, so that a call that is already up is adopted and never dialled twice.
    `held_down`: somebody dropped it, and it stays so until somebody has it called again.
    """

    __tablename__ = "leg"
    __table_args__ = (sa.Index(None, "changed_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    conference_id: Mapped[int] = mapped_column(sa.ForeignKey("conference.id"), index=True)
    party_id: Mapped[int] = mapped_column(sa.ForeignKey("party.id"), unique=True)
    wanted: Mapped[Wanted] = mapped_column(choice(Wanted, "wanted"))
    state: Mapped[LegState] = mapped_column(choice(LegState, "state"), default=LegState.IDLE)
    token: Mapped[str] = mapped_column(sa.String(255), unique=True)
    remote_call_id: Mapped[str | None] = mapped_column(sa.String(80))
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    dialled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    connected_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    cause: Mapped[str | None] = mapped_column(sa.String(200))
    held_down: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    changed_at: Mapped[datetime] = mapped_column(UTCDateTime)

    conference: Mapped[Conference] = relationship()
    party: Mapped[Party] = relationship()


class Admission(Model):
    """How a conference is let into one studio: no camera shows what nobody in the room agreed to.

    `mode` is the studio's as it was when this was first thought of. `prompted_at`: the panel asks; `pressed_at`:
    somebody there said yes; `muted_at`: microphones and camera were last seen to be off; `opened_at`: they were
    switched on. After a call all of it begins anew: what people agreed to held for that one.
    """

    __tablename__ = "admission"

    party_id: Mapped[int] = mapped_column(sa.ForeignKey("party.id", ondelete="CASCADE"), primary_key=True)
    mode: Mapped[StartMode] = mapped_column(choice(StartMode, "mode"))
    prompted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    pressed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    muted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    opened_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    next_attempt_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    cause: Mapped[str | None] = mapped_column(sa.String(200))

    party: Mapped[Party] = relationship()


_IS_OPEN = sa.text("closed_at IS NULL")


class BridgeRoom(Model):
    """A conference's room on a bridge, from when it was made ready there until it was put away."""

    __tablename__ = "bridge_room"
    __table_args__ = (sa.Index(None, "closed_at", sqlite_where=_IS_OPEN, postgresql_where=_IS_OPEN),)

    conference_id: Mapped[int] = mapped_column(sa.ForeignKey("conference.id"), primary_key=True)
    bridge_id: Mapped[int] = mapped_column(sa.ForeignKey("bridge.id"), primary_key=True)
    opened_at: Mapped[datetime] = mapped_column(UTCDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    conference: Mapped[Conference] = relationship()
    bridge: Mapped[Bridge] = relationship()


class Event(Model):
    """What happened, in order. `kind` is a word such as `leg.connected`; `details` holds what the sentence needs."""

    __tablename__ = "event"
    __table_args__ = (
        sa.Index(None, "conference_id", "at"),
        sa.Index(None, "studio_id", "at"),
        sa.Index(None, "incident_id", "at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    kind: Mapped[str] = mapped_column(sa.String(60))
    conference_id: Mapped[int | None] = mapped_column(sa.ForeignKey("conference.id"))
    studio_id: Mapped[int | None] = mapped_column(sa.ForeignKey("studio.id"))
    incident_id: Mapped[int | None] = mapped_column(sa.ForeignKey("incident.id"))
    account_id: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"))
    details: Mapped[dict[str, Any]] = mapped_column(sa.JSON, default=dict)

    studio: Mapped[Studio | None] = relationship()
    account: Mapped[Account | None] = relationship()


class CallRecord(Model):
    """One stretch of time in which a leg was connected, as seen from the codec that dialled it; open while it lasts.

    A leg that drops and comes back has several. `studio_id` is the far end's; none for a guest.
    """

    __tablename__ = "call_record"
    __table_args__ = (
        sa.CheckConstraint("ended_at IS NULL OR ended_at >= connected_at", name="ends_after_start"),
        sa.Index(
            "uq_call_record_open_leg",
            "leg_id",
            unique=True,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        ),
        sa.Index(None, "connected_at", "ended_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    leg_id: Mapped[int] = mapped_column(sa.ForeignKey("leg.id"), index=True)
    conference_id: Mapped[int] = mapped_column(sa.ForeignKey("conference.id"), index=True)
    studio_id: Mapped[int | None] = mapped_column(sa.ForeignKey("studio.id"), index=True)
    connected_at: Mapped[datetime] = mapped_column(UTCDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
