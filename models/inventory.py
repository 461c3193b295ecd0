"""What stands where: organisations, their sites and studios, the equipment in them and its secrets."""

import base64
import enum
from datetime import date, datetime
from functools import lru_cache

import sqlalchemy as sa
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask import current_app
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.database import Model, UTCDateTime, choice


class OrganisationKind(enum.StrEnum):
    HEALTH_TRUST = "health_trust"
    MUNICIPALITY = "municipality"
    GP = "gp"
    DENTAL = "dental"
    PHARMACY = "pharmacy"
    SUPPLIER = "supplier"
    NETWORK_OWNER = "network_owner"
    REGIONAL_AUTHORITY = "regional_authority"


class ControlDriver(enum.StrEnum):
    CISCO_XAPI = "cisco-xapi"


class SnmpVersion(enum.StrEnum):
    V2C = "2c"
    V3 = "3"


class StartMode(enum.StrEnum):
    """How a call comes up: muted with a prompt, waiting for a press, or open."""

    MUTED = "muted"
    PRESS = "press"
    OPEN = "open"


class SecretUnreadable(Exception):
    """A stored secret does not open with the key of this installation."""


class Organisation(Model):
    __tablename__ = "organisation"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(200), unique=True)
    kind: Mapped[OrganisationKind] = mapped_column(choice(OrganisationKind, "kind"))
    number: Mapped[str | None] = mapped_column(sa.String(20), unique=True)
    parent_id: Mapped[int | None] = mapped_column(sa.ForeignKey("organisation.id"), index=True)
    health_region: Mapped[str] = mapped_column(sa.String(40))


class Site(Model):
    __tablename__ = "site"
    __table_args__ = (sa.UniqueConstraint("organisation_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(sa.ForeignKey("organisation.id"))
    name: Mapped[str] = mapped_column(sa.String(200))
    town: Mapped[str] = mapped_column(sa.String(100), index=True)
    municipality: Mapped[str] = mapped_column(sa.String(100))
    county: Mapped[str] = mapped_column(sa.String(100))
    health_region: Mapped[str] = mapped_column(sa.String(40), index=True)
    latitude: Mapped[float]
    longitude: Mapped[float]
    zone: Mapped[str] = mapped_column(sa.String(64), default="Europe/Oslo")
    contact_name: Mapped[str | None] = mapped_column(sa.String(200))
    contact_phone: Mapped[str | None] = mapped_column(sa.String(40))

    organisation: Mapped[Organisation] = relationship()


class Studio(Model):
    __tablename__ = "studio"
    __table_args__ = (
        sa.CheckConstraint("capacity >= 1", name="capacity"),
        sa.CheckConstraint("setup_minutes >= 0 AND clear_down_minutes >= 0", name="buffers"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(sa.String(40), unique=True)
    name: Mapped[str] = mapped_column(sa.String(200))
    site_id: Mapped[int] = mapped_column(sa.ForeignKey("site.id"), index=True)
    capacity: Mapped[int]
    equipment: Mapped[list[str]] = mapped_column(sa.JSON, default=list)
    clinical: Mapped[bool] = mapped_column(default=True)
    bookable_hours: Mapped[dict[str, list[str]] | None] = mapped_column(sa.JSON)
    setup_minutes: Mapped[int] = mapped_column(default=0)
    clear_down_minutes: Mapped[int] = mapped_column(default=0)
    shared: Mapped[bool] = mapped_column(default=True)
    needs_approval: Mapped[bool] = mapped_column(default=False)
    start_mode: Mapped[StartMode] = mapped_column(choice(StartMode, "start_mode"), default=StartMode.MUTED)
    quality_tested_on: Mapped[date | None]
    quality_test_passed: Mapped[bool | None]
    retired_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    site: Mapped[Site] = relationship()
    endpoint: Mapped["Endpoint | None"] = relationship(back_populates="studio")


class Credential(Model):
    """A user name and a secret, encrypted at rest. The secret is never shown and never logged.

    For SNMPv3 the secret authenticates (SHA-256) and a second one, `privacy`, encrypts (AES-128).
    """

    __tablename__ = "credential"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(100), unique=True)
    username: Mapped[str] = mapped_column(sa.String(100), default="")
    sealed_secret: Mapped[str] = mapped_column(sa.Text)
    sealed_privacy: Mapped[str | None] = mapped_column(sa.Text)
    changed_at: Mapped[datetime] = mapped_column(UTCDateTime)

    def seal(self, secret: str) -> None:
        self.sealed_secret = _cipher().encrypt(secret.encode()).decode()

    def open(self) -> str:
        """The secret in the clear; raises SecretUnreadable when it was sealed with another key."""
        return self._opened(self.sealed_secret)

    def seal_privacy(self, secret: str | None) -> None:
        self.sealed_privacy = None if secret is None else _cipher().encrypt(secret.encode()).decode()

    def open_privacy(self) -> str | None:
        """The secret that encrypts, in the clear, where there is one; raises SecretUnreadable like `open`."""
        return None if self.sealed_privacy is None else self._opened(self.sealed_privacy)

    @property
    def suits_snmp_3(self) -> bool:
        return bool(self.username and self.sealed_privacy)

    def _opened(self, sealed: str) -> str:
        try:
            return _cipher().decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise SecretUnreadable(
                f"The credential {self.name} was stored with another STUDIONETT_SECRET_KEY; set it again."
            ) from None

    def __repr__(self) -> str:
        return f"<Credential {self.name}>"


class Endpoint(Model):
    """The equipment of one studio: how to call it, how to steer it, how to watch it."""

    __tablename__ = "endpoint"

    id: Mapped[int] = mapped_column(primary_key=True)
    studio_id: Mapped[int] = mapped_column(sa.ForeignKey("studio.id"), unique=True)
    dial_address: Mapped[str] = mapped_column(sa.String(255), default="")
    control_driver: Mapped[ControlDriver | None] = mapped_column(choice(ControlDriver, "control_driver"))
    control_url: Mapped[str | None] = mapped_column(sa.String(255))
    control_credential_id: Mapped[int | None] = mapped_column(sa.ForeignKey("credential.id"), index=True)
    snmp_host: Mapped[str | None] = mapped_column(sa.String(255))
    snmp_port: Mapped[int] = mapped_column(default=161)
    snmp_version: Mapped[SnmpVersion] = mapped_column(choice(SnmpVersion, "snmp_version"), default=SnmpVersion.V2C)
    snmp_credential_id: Mapped[int | None] = mapped_column(sa.ForeignKey("credential.id"), index=True)
    vendor: Mapped[str | None] = mapped_column(sa.String(100))
    model: Mapped[str | None] = mapped_column(sa.String(100))
    serial: Mapped[str | None] = mapped_column(sa.String(100))
    software: Mapped[str | None] = mapped_column(sa.String(100))

    studio: Mapped[Studio] = relationship(back_populates="endpoint")
    control_credential: Mapped[Credential | None] = relationship(foreign_keys=control_credential_id)
    snmp_credential: Mapped[Credential | None] = relationship(foreign_keys=snmp_credential_id)


def _cipher() -> Fernet:
    return _cipher_of(current_app.config["SECRET_KEY"])


@lru_cache(maxsize=1)
def _cipher_of(secret_key: str) -> Fernet:
    """Fernet with a key derived (HKDF, RFC 5869) from the installation's secret key."""
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"studionett credentials")
    return Fernet(base64.urlsafe_b64encode(key.derive(secret_key.encode())))
