"""Faults that people work on, and what is looked at before conferences and told of studios' quality."""

import enum
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.accounts import Account
from models.booking import Conference
from models.database import Model, UTCDateTime, choice
from models.inventory import Site, Studio


class Severity(enum.StrEnum):
    """How much of a studio a fault takes away: its quality, a part that every conference needs, or all of it."""

    MINOR = "minor"
    MAJOR = "major"
    CRITICAL = "critical"


_IS_OPEN = sa.text("resolved_at IS NULL")


class Incident(Model):
    """A fault of a studio's equipment, or of a whole site. The database keeps at most one open of each.

    `cause` as in endpoint_status. `times` how often the fault came back while it was open; `quiet_since` since when it
    is gone: once that has lasted it is resolved. `level` how many steps of the on-call list were told, `told_at` when
    the last of them was; nobody is told that a fault is over who was never told of it.
    """

    __tablename__ = "incident"
    __table_args__ = (
        sa.CheckConstraint("(studio_id IS NULL) <> (site_id IS NULL)", name="studio_or_site"),
        sa.Index("uq_incident_open_studio", "studio_id", unique=True, sqlite_where=_IS_OPEN, postgresql_where=_IS_OPEN),
        sa.Index("uq_incident_open_site", "site_id", unique=True, sqlite_where=_IS_OPEN, postgresql_where=_IS_OPEN),
        sa.Index(None, "studio_id", "opened_at"),
        sa.Index(None, "site_id", "opened_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    studio_id: Mapped[int | None] = mapped_column(sa.ForeignKey("studio.id"))
    site_id: Mapped[int | None] = mapped_column(sa.ForeignKey("site.id"))
    cause: Mapped[str] = mapped_column(sa.String(200))
    severity: Mapped[Severity] = mapped_column(choice(Severity, "severity"))
    opened_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    times: Mapped[int] = mapped_column(default=1)
    quiet_since: Mapped[datetime | None] = mapped_column(UTCDateTime)
    acknowledged_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    acknowledged_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"))
    assigned_to_id: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"))
    resolved_at: Mapped[datetime | None] = mapped_column(UTCDateTime, index=True)
    level: Mapped[int] = mapped_column(default=0)
    told_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    studio: Mapped[Studio | None] = relationship()
    site: Mapped[Site | None] = relationship()
    acknowledged_by: Mapped[Account | None] = relationship(foreign_keys=acknowledged_by_id)
    assigned_to: Mapped[Account | None] = relationship(foreign_keys=assigned_to_id)

    @property
    def where(self) -> Site:
        """The site, also of a studio's."""
        found = self.studio.site if self.studio else self.site
        assert found is not None  # the table lets no incident be without either
        return found


class OnCall(Model):
    """Who is told of incidents, from when until when; `level` 1 at once, 2 where nobody has taken it after a time, and
    so on. A person by mail, or a program at a web address, which gets the secret's signature with each message."""

    __tablename__ = "on_call"
    __table_args__ = (
        sa.CheckConstraint("level >= 1", name="level"),
        sa.CheckConstraint("(account_id IS NULL) <> (url IS NULL)", name="person_or_program"),
        sa.CheckConstraint("ends_at IS NULL OR ends_at > starts_at", name="ends_after_start"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    level: Mapped[int] = mapped_column(default=1)
    account_id: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"), index=True)
    url: Mapped[str | None] = mapped_column(sa.String(255))
    credential_id: Mapped[int | None] = mapped_column(sa.ForeignKey("credential.id"))
    health_region: Mapped[str] = mapped_column(sa.String(40), default="")
    starts_at: Mapped[datetime] = mapped_column(UTCDateTime)
    ends_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    account: Mapped[Account | None] = relationship()


class Light(enum.StrEnum):
    GREEN = "green"
    AMBER = "amber"
    RED = "red"


class Preflight(Model):
    """A studio looked at freshly before a conference, so many `minutes` ahead. `checks`: of each what was found, such
    as {"reachable": "ok", "camera": "failed", "registered": "unknown"}."""

    __tablename__ = "preflight"

    conference_id: Mapped[int] = mapped_column(sa.ForeignKey("conference.id", ondelete="CASCADE"), primary_key=True)
    studio_id: Mapped[int] = mapped_column(sa.ForeignKey("studio.id"), primary_key=True)
    minutes: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    checked_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    light: Mapped[Light] = mapped_column(choice(Light, "light"))
    checks: Mapped[dict[str, str]] = mapped_column(sa.JSON)

    conference: Mapped[Conference] = relationship()
    studio: Mapped[Studio] = relationship()


class QualityTest(Model):
    """What a technician found when trying a studio: what was good and what was not. The latest one is the studio's."""

    __tablename__ = "quality_test"
    __table_args__ = (sa.Index(None, "studio_id", "tested_on"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    studio_id: Mapped[int] = mapped_column(sa.ForeignKey("studio.id"))
    tested_on: Mapped[date]
    tested_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"))
    picture: Mapped[bool]
    sound_out: Mapped[bool]
    sound_in: Mapped[bool]
    no_echo: Mapped[bool]
    network: Mapped[bool]
    note: Mapped[str] = mapped_column(sa.String(500), default="")
    recorded_at: Mapped[datetime] = mapped_column(UTCDateTime)

    studio: Mapped[Studio] = relationship()
    tested_by: Mapped[Account | None] = relationship()

    @property
    def passed(self) -> bool:
        return self.picture and self.sound_out and self.sound_in and self.no_echo and self.network
