"""What the monitor knows: the present of each endpoint, its changes, and the heartbeats of our own processes."""

import enum
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.database import Model, UTCDateTime, choice
from models.inventory import Endpoint


class Health(enum.StrEnum):
    OK = "ok"
    DEGRADED = "degraded"
    DOWN = "down"
    UNREACHABLE = "unreachable"
    MAINTENANCE = "maintenance"
    UNKNOWN = "unknown"


class EndpointStatus(Model):
    """The present, one row an endpoint. `changed_at` moves when anything changes that a tile shows.

    `unsupported`: the objects that this very device does not know, as it was probed under `probed_software`.
    `peripherals`: whether each is connected, such as {"cameras": {"1": true}, "microphones": {"1": false}}; none while
    that isn't known.
    """

    __tablename__ = "endpoint_status"

    endpoint_id: Mapped[int] = mapped_column(sa.ForeignKey("endpoint.id"), primary_key=True)
    health: Mapped[Health] = mapped_column(choice(Health, "health"), default=Health.UNKNOWN)
    since: Mapped[datetime] = mapped_column(UTCDateTime)
    cause: Mapped[str] = mapped_column(sa.String(200), default="")
    changed_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    last_poll_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    last_answer_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    round_trip_ms: Mapped[float | None]
    misses: Mapped[int] = mapped_column(default=0)
    uptime_seconds: Mapped[float | None]
    in_call: Mapped[bool] = mapped_column(default=False)
    call_peer: Mapped[str | None] = mapped_column(sa.String(255))
    calls_seen_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    peripherals: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON(none_as_null=True))
    loss_percent: Mapped[float | None]
    jitter_ms: Mapped[float | None]
    registered: Mapped[bool | None]
    unsupported: Mapped[list[str] | None] = mapped_column(sa.JSON(none_as_null=True))
    probed_software: Mapped[str | None] = mapped_column(sa.String(100))
    due_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    wanted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    lease_owner: Mapped[str | None] = mapped_column(sa.String(80))
    lease_until: Mapped[datetime | None] = mapped_column(UTCDateTime)

    endpoint: Mapped[Endpoint] = relationship()


class StatusChange(Model):
    __tablename__ = "status_change"
    __table_args__ = (sa.Index(None, "endpoint_id", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    endpoint_id: Mapped[int] = mapped_column(sa.ForeignKey("endpoint.id"))
    at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    from_health: Mapped[Health] = mapped_column(choice(Health, "from_health"))
    to_health: Mapped[Health] = mapped_column(choice(Health, "to_health"))
    cause: Mapped[str] = mapped_column(sa.String(200), default="")

    endpoint: Mapped[Endpoint] = relationship()


class Span(enum.StrEnum):
    """How long a time a measurement sums up."""

    FIVE_MINUTES = "five_minutes"
    HOUR = "hour"


class Measurement(Model):
    """What polling measured of an endpoint from `starts_at` on, summed up; charts are drawn from these.

    Milliseconds and percent; means, but for the longest round trip. None where nothing was measured.
    """

    __tablename__ = "measurement"

    span: Mapped[Span] = mapped_column(choice(Span, "span"), primary_key=True)
    starts_at: Mapped[datetime] = mapped_column(UTCDateTime, primary_key=True)
    endpoint_id: Mapped[int] = mapped_column(sa.ForeignKey("endpoint.id"), primary_key=True, index=True)
    polls: Mapped[int]
    misses: Mapped[int]
    round_trip_ms: Mapped[float | None]
    longest_round_trip_ms: Mapped[float | None]
    loss_percent: Mapped[float | None]
    jitter_ms: Mapped[float | None]


class Worker(Model):
    """One running process of ours and when it last gave a sign of life."""

    __tablename__ = "worker"

    name: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    kind: Mapped[str] = mapped_column(sa.String(20), index=True)
    started_at: Mapped[datetime] = mapped_column(UTCDateTime)
    beat_at: Mapped[datetime] = mapped_column(UTCDateTime)
    details: Mapped[dict[str, Any]] = mapped_column(sa.JSON, default=dict)
