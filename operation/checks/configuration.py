"""The settings themselves, without the database."""

import errno
import os
import socket
import stat
from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import httpx

import config
from config import ENVIRONMENT_PREFIX, ConfigurationError, Settings, is_loopback
from operation.checks.finding import Finding, ok, warning, wrong

BOTH = "STUDIONETT_HOST and STUDIONETT_PORT"
KEY_LENGTH = 32  # characters
PATIENCE = 2.0  # seconds


def wrong_settings(environment: Mapping[str, str] = os.environ) -> list[str]:
    """A sentence for each setting that cannot be used; the program itself stops at the first."""
    prefixed = {name: value for name, value in environment.items() if name.startswith(ENVIRONMENT_PREFIX)}
    known = {ENVIRONMENT_PREFIX + setting.name.upper(): setting.metadata["parse"] for setting in fields(Settings)}
    found = []
    for name, value in prefixed.items():
        try:
            if name in known and value.strip():
                known[name](value.strip())
        except ValueError as error:
            found.append(f"{name} is wrong: {error}.")
    return found or _wrong_together(environment)


def _wrong_together(environment: Mapping[str, str]) -> list[str]:
    try:
        Settings.from_environment(environment)
    except ConfigurationError as error:
        return [str(error)]
    return []


def names(_found: Settings, environment: Mapping[str, str] = os.environ) -> Finding:
    known = {ENVIRONMENT_PREFIX + setting.name.upper() for setting in fields(Settings)}
    given = {name for name in environment if name.startswith(ENVIRONMENT_PREFIX)}
    if strange := sorted(given - known):
        return warning(f"Nothing reads {', '.join(strange)}; is it misspelt?")
    return ok(f"{len(given)} given, all can be used.")


def secret_key(found: Settings, environment: Mapping[str, str] = os.environ) -> Finding:
    if len(found.secret_key) < KEY_LENGTH:
        return wrong(
            f"The secret key has {len(found.secret_key)} characters and can be guessed; give it {KEY_LENGTH} at least. "
            "Stored credentials must then be set again."
        )
    path = config.SECRET_KEY_FILE
    if environment.get("STUDIONETT_SECRET_KEY", "").strip() or not path.exists():
        return ok("The secret key is given and long enough.")
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        return wrong(f"Others on this machine may read the secret key: chmod 600 {path}.")
    return ok(f"The secret key is in {path}, for its owner alone.")


def cookies(found: Settings) -> Finding:
    if found.secure_cookies:
        return ok("Browsers send the session's cookie by https only.")
    if is_loopback(found.host) and not found.trusted_proxy:
        return ok("The pages are for this machine only; cookies need no TLS.")
    return wrong("Sessions may cross the network unencrypted: set STUDIONETT_SECURE_COOKIES=1, and TLS in front.")


def proxy(found: Settings) -> Finding:
    if found.trusted_proxy:
        return ok(f"The web server at {found.trusted_proxy} is believed about who asks.")
    if is_loopback(found.host) and not found.secure_cookies:
        return ok("No web server in front, and none is needed on this machine alone.")
    return warning(
        "No web server in front is named. If there is one, set STUDIONETT_TRUSTED_PROXY: without it everybody seems to "
        "come from its address."
    )


def zone(found: Settings) -> Finding:
    """The zone data of this machine or of the tzdata package must know summer time."""
    winter, summer = datetime(2026, 1, 15, tzinfo=UTC), datetime(2026, 7, 15, tzinfo=UTC)
    here = ZoneInfo(found.zone)
    if winter.astimezone(here).utcoffset() == summer.astimezone(here).utcoffset():
        return warning(f"{found.zone} has no summer time here; is STUDIONETT_ZONE right and the zone data whole?")
    return ok(f"Times are those of {found.zone}.")


def port(found: Settings) -> Finding:
    """Free, or taken by our own pages."""
    where = f"{found.host}:{found.port}"
    try:
        family = socket.getaddrinfo(found.host, found.port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((found.host, found.port))
    except UnicodeError:
        return wrong(f"The pages cannot be served on {where}: no such address. Look at STUDIONETT_HOST.")
    except OSError as error:
        if _is_ours(found):
            return ok(f"The pages are served on {where}.")
        setting = "Choose another STUDIONETT_PORT" if error.errno == errno.EADDRINUSE else f"Look at {BOTH}"
        return wrong(f"The pages cannot be served on {where}: {error.strerror}. {setting}.")
    return ok(f"{where} is free for the pages.")


def _is_ours(found: Settings) -> bool:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(found.host, found.host)
    url = f"http://{f'[{host}]' if ':' in host else host}:{found.port}/healthz"
    try:
        answer = httpx.get(url, timeout=PATIENCE, trust_env=False)
    except (httpx.HTTPError, httpx.InvalidURL):
        return False
    return answer.text == "ok" and "X-Request-Id" in answer.headers
