"""Every setting: its default, its environment name (`STUDIONETT_` and the field in capitals), its check.

Settings are read once, when the application is made; a wrong one stops it with a sentence that names the setting.
"""

import enum
import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from email.errors import MessageError
from email.headerregistry import Address
from email.utils import getaddresses
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flask import current_app
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

ROOT = Path(__file__).resolve().parent
VAR = ROOT / "var"
SECRET_KEY_FILE = VAR / "secret-key"
ENVIRONMENT_PREFIX = "STUDIONETT_"


class ConfigurationError(Exception):
    """A setting is missing or wrong; the message says which and why."""


class LogFormat(enum.StrEnum):
    """How events are written: for people to read, or for programs to collect."""

    TEXT = "text"
    JSON = "json"


class MailTls(enum.StrEnum):
    """How the way to the mail server is encrypted."""

    NONE = "no encryption"
    STARTTLS = "STARTTLS"
    IMPLICIT = "TLS"


SMTP_PORTS = {"smtp": {MailTls.NONE: 25, MailTls.STARTTLS: 587}, "smtps": {MailTls.IMPLICIT: 465}}
MAIL_SERVER_FORM = "the form is smtp://host, smtp://user:password@host:587?tls=starttls or smtps://user:password@host"


@dataclass(frozen=True)
class MailServer:
    """Where mail is handed over; `user` is empty where none is asked for."""

    host: str
    port: int
    tls: MailTls = MailTls.NONE
    user: str = ""
    password: str = field(default="", repr=False)


def _text(value: str) -> str:
    return value.strip()


def _port(value: str) -> int:
    if not value.isdecimal() or not 1 <= int(value) <= 65_535:
        raise ValueError("a port is a number from 1 to 65535")
    return int(value)


def _port_or_none(value: str) -> int:
    return 0 if value == "0" else _port(value)


def _positive(value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = 0.0
    if not 0 < number < 1e6:
        raise ValueError("it must be a number above 0")
    return number


def _not_negative(value: str) -> float:
    return 0.0 if value.strip() == "0" else _positive(value)


def _hours_of_a_day(value: str) -> float:
    """Reservations are bounded by the database; a conference of a day and its buffers fit."""
    if (hours := _positive(value)) > 24:
        raise ValueError("it must be a number of hours, 24 at most")
    return hours


def _count(value: str) -> int:
    if not value.isdecimal() or int(value) < 1:
        raise ValueError("it must be a whole number above 0")
    return int(value)


def _minutes(value: str) -> int:
    if not value.isdecimal():
        raise ValueError("it must be a whole number of minutes, 0 for none")
    return int(value)


def _flag(value: str) -> bool:
    words = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
    if value.strip().lower() not in words:
        raise ValueError("it must be 1 or 0")
    return words[value.strip().lower()]


def _log_format(value: str) -> LogFormat:
    try:
        return LogFormat(value.lower())
    except ValueError:
        raise ValueError("it must be text or json") from None


def _log_level(value: str) -> int:
    levels = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
    if value.lower() not in levels:
        raise ValueError("it must be debug, info, warning or error")
    return levels[value.lower()]


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError("no such time zone") from None
    return value


def _database_url(value: str) -> str:
    for scheme, driver in (("postgres://", "postgresql+psycopg://"), ("postgresql://", "postgresql+psycopg://")):
        if value.startswith(scheme):
            return _readable_url(driver + value.removeprefix(scheme))
    if not value.startswith(("sqlite://", "postgresql+psycopg://")):
        raise ValueError("it must begin with sqlite:// or postgresql://")
    return _readable_url(value)


def _readable_url(value: str) -> str:
    try:
        url = make_url(value)
    except (ArgumentError, ValueError):
        raise ValueError("it cannot be read; the form is postgresql://user:password@host:port/name") from None
    if url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:"):
        raise ValueError("it names no file, and processes share none in memory; the form is sqlite:////path/name.db")
    return value


def _snmp_engine(value: str) -> str:
    if value.lower() not in ("auto", "gufo", "pysnmp"):
        raise ValueError("it must be auto, gufo or pysnmp")
    return value.lower()


def _ip_address(value: str) -> str:
    try:
        return str(ip_address(value))
    except ValueError:
        raise ValueError("it must be an IP address") from None


def _mail_server(value: str) -> MailServer:
    """`smtp://` or `smtps://user:password@host:port`; no message repeats any of it, for it holds a password."""
    try:
        url = urlsplit(value)
        host, port = url.hostname or "", url.port
    except ValueError:
        raise ValueError(MAIL_SERVER_FORM) from None
    if url.scheme not in SMTP_PORTS or not host or url.path.strip("/") or url.fragment or port == 0:
        raise ValueError(MAIL_SERVER_FORM)
    if (url.password is not None) != bool(url.username):
        raise ValueError("a user name and a password come together")
    tls = _mail_encryption(url.scheme, url.query, host)
    if url.username and tls is MailTls.NONE and not is_loopback(host):
        raise ValueError("a password would cross the network unencrypted; use smtps:// or ?tls=starttls")
    user, password = unquote(url.username or ""), unquote(url.password or "")
    if not (user + password).isascii():
        raise ValueError("the user name and the password must be of ASCII letters, figures and signs")
    return MailServer(host, port or SMTP_PORTS[url.scheme][tls], tls, user, password)


def _mail_encryption(scheme: str, query: str, host: str) -> MailTls:
    if scheme == "smtps" and not query:
        return MailTls.IMPLICIT
    choices = {"tls=none": MailTls.NONE, "tls=starttls": MailTls.STARTTLS}
    if scheme == "smtp" and query in choices:
        return choices[query]
    if query:
        raise ValueError("after the ? may stand tls=starttls or tls=none, with smtp:// only")
    return MailTls.NONE if is_loopback(host) else MailTls.STARTTLS


def is_loopback(host: str) -> bool:
    """Whether an address or a name of one leads to this machine alone."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _mail_address(value: str) -> Address:
    try:
        [(name, address)] = getaddresses([value])
        return Address(name, addr_spec=address.encode("ascii").decode())
    except (ValueError, MessageError, IndexError):
        raise ValueError("it must be an address such as Studionett <studionett@example.org>") from None


def _web_address(value: str) -> str:
    """An address such as https://studionett.example.org, without the slash at its end."""
    try:
        url = urlsplit(value)
        sound = url.scheme in ("http", "https") and url.hostname and url.port != 0
    except ValueError:
        sound = False
    if not sound or url.query or url.fragment or url.username or not value.isprintable() or " " in value:
        raise ValueError("the form is https://host or https://host/path")
    return value.rstrip("/")


def _setting(default: Any, parse: Callable[[str], Any] = _text, secret: bool = False) -> Any:
    return field(default=default, metadata={"parse": parse}, repr=not secret)


@dataclass(frozen=True)
class Settings:
    """Times are in seconds."""

    # Where things are kept, and the key that seals secrets and signs cookies.
    database_url: str = _setting(f"sqlite:///{VAR / 'studionett.db'}", _database_url, secret=True)
    secret_key: str = _setting("", secret=True)

    # What is logged, on standard error.
    log_format: LogFormat = _setting(LogFormat.TEXT, _log_format)  # noqa: RUF009
    log_level: int = _setting(logging.INFO, _log_level)

    # The web server.
    host: str = _setting("127.0.0.1")
    port: int = _setting(8000, _port)
    threads: int = _setting(16, _count)
    secure_cookies: bool = _setting(False, _flag)
    # The web server in front that speaks TLS: only its word is taken for who asks, and whether by https.
    trusted_proxy: str = _setting("", _ip_address)

    # Where people reach the pages, for links in mails.
    public_url: str = _setting("", _web_address)

    # Who the pages are from and whom to ask for help, for the foot of each; one line, as it shall stand there.
    publisher: str = _setting("")
    # The demonstration's accounts are offered on the sign-in page of this machine only, unless this is set.
    demonstration_sign_in: bool = _setting(False, _flag)

    # Sign-in: sessions end when idle and after a working day; guessing is slowed by account and by address.
    session_idle: float = _setting(30 * 60, _positive)
    session_length: float = _setting(8 * 3600, _positive)
    sign_in_window: float = _setting(15 * 60, _positive)
    sign_in_failures: int = _setting(5, _count)
    sign_in_failures_by_address: int = _setting(50, _count)

    # Booking, in the wall clock of this zone.
    zone: str = _setting("Europe/Oslo", _zone)
    longest_hours: float = _setting(12, _hours_of_a_day)
    horizon_days: float = _setting(400, _positive)
    lead_minutes: float = _setting(0, _not_negative)
    # A studio's owner has so long to approve a request, and whoever waited for an offer to take it.
    approval_hours: float = _setting(48, _positive)
    offer_minutes: float = _setting(120, _positive)

    # Whether a studio found wanting minutes before the start is replaced by one at the same site without being asked.
    stand_in: bool = _setting(False, _flag)

    # Calls.
    dials_at_once: int = _setting(24, _count)
    control_ca: str = _setting("")
    control_verify: bool = _setting(True, _flag)
    # Where codecs reach the pages, to post what people press on their panels; as people do, unless this is set.
    panel_url: str = _setting("", _web_address)
    # By how many minutes in all a conference goes on by itself while its studios and ports are free.
    go_on_minutes: int = _setting(15, _minutes)
    # How long after the start a conference is given up for which nobody has pressed in any of its rooms; 0: never.
    no_show_minutes: int = _setting(0, _minutes)
    # Whether who hung up is called again after half a minute.
    redial_hung_up: bool = _setting(False, _flag)

    # Monitoring: a full read, and a light sign of life between.
    poll_interval: float = _setting(60, _positive)
    alive_interval: float = _setting(10, _positive)
    calls_interval: float = _setting(60, _positive)
    calls_interval_busy: float = _setting(15, _positive)
    stale_after: float = _setting(180, _positive)
    # Who is next on the on-call list is told of an incident that nobody has taken for so long.
    escalate_minutes: float = _setting(15, _positive)
    # Where endpoints send their traps; port 162 itself is for root alone. 0: nowhere.
    trap_host: str = _setting("0.0.0.0", _ip_address)
    trap_port: int = _setting(1162, _port_or_none)
    # A folder with profiles of equipment that we do not know.
    profiles: str = _setting("")
    # gufo needs a seventh of the CPU; auto takes it where it is installed.
    snmp_engine: str = _setting("auto", _snmp_engine)

    # Mail: without a server messages wait in the outbox and expire.
    smtp_url: MailServer | None = _setting(None, _mail_server)  # noqa: RUF009
    smtp_ca: str = _setting("")
    mail_from: Address | None = _setting(None, _mail_address)  # noqa: RUF009

    # Whether `studionett demo --if-empty`, which script/server runs at each start, may write anything.
    demo: bool = _setting(True, _flag)
    # The simulated fleet's control address, and whether it leaves out the demonstration's script of faults.
    fleet_control: str = _setting("127.1.0.1:8079")
    fleet_quiet: bool = _setting(False, _flag)

    @staticmethod
    def from_environment(environment: Mapping[str, str] = os.environ) -> "Settings":
        values: dict[str, Any] = {}
        for setting in fields(Settings):
            name = ENVIRONMENT_PREFIX + setting.name.upper()
            if not environment.get(name, "").strip():
                continue
            try:
                values[setting.name] = setting.metadata["parse"](environment[name].strip())
            except ValueError as error:
                raise ConfigurationError(f"{name} is wrong: {error}.") from None
        if values.get("smtp_url") and not values.get("mail_from"):
            raise ConfigurationError("STUDIONETT_MAIL_FROM is not set; with STUDIONETT_SMTP_URL it says who writes.")
        if "secret_key" not in values:
            values["secret_key"] = _stored_secret_key()
        return Settings(**values)


def _stored_secret_key() -> str:
    """The key that set-up wrote, for an installation that names none."""
    try:
        if key := SECRET_KEY_FILE.read_text().strip():
            return key
        raise ConfigurationError(f"The secret key cannot be read: {SECRET_KEY_FILE} is empty.")
    except FileNotFoundError:
        raise ConfigurationError(
            "STUDIONETT_SECRET_KEY is not set; give it a long random text (script/setup makes one in var/secret-key)."
        ) from None
    except OSError as error:
        raise ConfigurationError(f"The secret key cannot be read: {error.strerror} ({error.filename}).") from None


def settings() -> Settings:
    """The settings of the running application."""
    found = current_app.config["STUDIONETT"]
    assert isinstance(found, Settings)
    return found
