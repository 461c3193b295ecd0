"""Facts of the reports: how the studios were used and how well they were, one local day at a time.

A conference counts on its local start day; seconds count on the days that they fall in.
"""

import enum
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from models.booking import Purpose
from models.database import Model, UTCDateTime, choice


class Outcome(enum.StrEnum):
    """What became of a conference, or of one studio's part in it.

    Held: a call was up. No-show: equipment that works rang, and nobody answered. Failed: neither. Running: it is not
    over and no call has been up yet.
    """

    HELD = "held"
    FAILED = "failed"
    NO_SHOW = "no_show"
    CANCELLED = "cancelled"
    RUNNING = "running"


class Report(Model):
    """A local day whose facts are complete. Made once: whoever comes second finds it here."""

    __tablename__ = "report"

    day: Mapped[date] = mapped_column(primary_key=True)
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)


class ConferenceUsage(Model):
    """`late_seconds`: from the planned start to the first call up. `as_booked`: held on time, nobody missing.

    `studios` counts its studios; `cause` is why it failed or was not as booked, in the words of the legs.
    """

    __tablename__ = "conference_usage"

    conference_id: Mapped[int] = mapped_column(sa.ForeignKey("conference.id"), primary_key=True)
    day: Mapped[date] = mapped_column(index=True)
    organisation_id: Mapped[int] = mapped_column(sa.ForeignKey("organisation.id"), index=True)
    purpose: Mapped[Purpose] = mapped_column(choice(Purpose, "purpose"))
    outcome: Mapped[Outcome] = mapped_column(choice(Outcome, "outcome"))
    studios: Mapped[int]
    booked_seconds: Mapped[int]
    used_seconds: Mapped[int]
    late_seconds: Mapped[int | None]
    as_booked: Mapped[bool]
    cause: Mapped[str | None] = mapped_column(sa.String(200))


class StudioUsage(Model):
    """A studio's local day. Its four kinds of health add up to the day's length; unknown is none of the others.

    The counts are of its own parts in conferences that started that day; `booked` leaves the cancelled out.
    """

    __tablename__ = "studio_usage"

    studio_id: Mapped[int] = mapped_column(sa.ForeignKey("studio.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True, index=True)
    booked: Mapped[int] = mapped_column(default=0)
    held: Mapped[int] = mapped_column(default=0)
    failed: Mapped[int] = mapped_column(default=0)
    no_shows: Mapped[int] = mapped_column(default=0)
    cancelled: Mapped[int] = mapped_column(default=0)
    running: Mapped[int] = mapped_column(default=0)
    late: Mapped[int] = mapped_column(default=0)
    as_booked: Mapped[int] = mapped_column(default=0)
    booked_seconds: Mapped[int] = mapped_column(default=0)
    used_seconds: Mapped[int] = mapped_column(default=0)
    healthy_seconds: Mapped[int] = mapped_column(default=0)
    faulty_seconds: Mapped[int] = mapped_column(default=0)
    maintenance_seconds: Mapped[int] = mapped_column(default=0)
    unknown_seconds: Mapped[int] = mapped_column(default=0)


class HourUsage(Model):
    """An hour of the network, by its first instant. `conferences` and `studios`: the most that were up at once."""

    __tablename__ = "hour_usage"

    starts_at: Mapped[datetime] = mapped_column(UTCDateTime, primary_key=True)
    day: Mapped[date] = mapped_column(index=True)
    conferences: Mapped[int]
    studios: Mapped[int]
    booked_seconds: Mapped[int]
    used_seconds: Mapped[int]
