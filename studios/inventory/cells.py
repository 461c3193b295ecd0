"""What one cell of an inventory file may hold. Each check takes the cell's text and returns its value.

A cell that does not fit raises Unfit with the reason. No reason repeats a web address, which may hold a password.
"""

import enum
import re
import unicodedata
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from models import ControlDriver, OrganisationKind, SnmpVersion

DEFAULT_SNMP_PORT = 161
LARGEST_CAPACITY = 1_000
LONGEST_EQUIPMENT = 60
MOST_EQUIPMENT = 50
LONGEST_SHOWN = 40
# Six decimals of a degree are about a tenth of a metre; more would not survive a round trip through other programs.
DEGREE_DECIMALS = 6

_CODE = re.compile(r"\w[\w.-]*")
_DEGREES = re.compile(r"[+-]?[0-9]{1,3}(\.[0-9]{1,15})?")
_WHOLE_NUMBER = re.compile(r"[0-9]{1,9}")
_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
# By Unicode's general category. Lone surrogates stand for bytes that could not be decoded.
_UNREADABLE = {
    "Cc": _l("holds a control character"),
    "Cs": _l("is not UTF-8; save the file as UTF-8"),
    "Zl": _l("holds a line break"),
    "Zp": _l("holds a line break"),
}

T = TypeVar("T", bound=enum.StrEnum)
Check = Callable[[str], Any]


class Unfit(ValueError):
    """A cell's text is not what its column holds; the message says why."""


def shown(cell: str) -> str:
    """The text in quotation marks for a message, shortened when it is long."""
    return f"“{cell if len(cell) <= LONGEST_SHOWN else cell[: LONGEST_SHOWN - 1] + '…'}”"


def clean(cell: str) -> str:
    """The text without blanks around it and in Unicode's composed form, so that å is one character everywhere."""
    if not cell.isprintable():
        _refuse_unreadable(cell)
    return unicodedata.normalize("NFC", cell).strip()


def _refuse_unreadable(cell: str) -> None:
    for character in cell:
        reason = _UNREADABLE.get(unicodedata.category(character))
        if reason:
            raise Unfit(str(reason))


def text(longest: int, required: bool = False) -> Check:
    def check(cell: str) -> str:
        if required and not cell:
            raise Unfit(_("is empty"))
        if len(cell) > longest:
            raise Unfit(
                _("is %(length)s characters long; at most %(longest)s are kept", length=len(cell), longest=longest)
            )
        return cell

    return check


def code(cell: str) -> str:
    """A studio's code stands in addresses of pages, so it has no blanks or slashes."""
    text(40, required=True)(cell)
    if not _CODE.fullmatch(cell):
        raise Unfit(_("%(text)s is no code: use letters, digits, hyphens, points and underscores", text=shown(cell)))
    return cell


def one_of(kind: type[T]) -> Callable[[str], T]:
    def check(cell: str) -> T:
        try:
            return kind(cell)
        except ValueError:
            known = ", ".join(value.value for value in kind)
            raise Unfit(_("%(text)s is unknown; it is one of: %(known)s", text=shown(cell), known=known)) from None

    return check


def degrees(limit: int) -> Callable[[str], float]:
    def check(cell: str) -> float:
        if not cell:
            raise Unfit(_("is empty"))
        if not _DEGREES.fullmatch(cell):
            if "," in cell:
                raise Unfit(_("%(text)s is not a number of degrees; use a point, not a comma", text=shown(cell)))
            raise Unfit(_("%(text)s is not a number of degrees", text=shown(cell)))
        value = round(float(cell), DEGREE_DECIMALS) + 0.0  # adding zero turns -0.0 into 0.0
        if not -limit <= value <= limit:
            raise Unfit(_("%(text)s is not between %(least)s and %(most)s", text=shown(cell), least=-limit, most=limit))
        return value

    return check


def whole_number(least: int, most: int) -> Callable[[str], int]:
    def check(cell: str) -> int:
        if not cell:
            raise Unfit(_("is empty"))
        if not _WHOLE_NUMBER.fullmatch(cell):
            raise Unfit(_("%(text)s is not a whole number", text=shown(cell)))
        if not least <= int(cell) <= most:
            raise Unfit(_("%(text)s is not between %(least)s and %(most)s", text=shown(cell), least=least, most=most))
        return int(cell)

    return check


def equipment(cell: str) -> tuple[str, ...]:
    """The pieces in their order, each once; `;` stands between them."""
    pieces = tuple(dict.fromkeys(piece.strip() for piece in cell.split(";") if piece.strip()))
    if len(pieces) > MOST_EQUIPMENT:
        raise Unfit(_("names %(number)s pieces; at most %(most)s are kept", number=len(pieces), most=MOST_EQUIPMENT))
    for piece in pieces:
        if len(piece) > LONGEST_EQUIPMENT:
            raise Unfit(
                _("the piece %(text)s is longer than %(most)s characters", text=shown(piece), most=LONGEST_EQUIPMENT)
            )
    return pieces


def is_host(name: str) -> bool:
    """Whether the text is an IP address or a host name as RFC 1123 (2.1) allows it."""
    try:
        ip_address(name)
        return True
    except ValueError:
        labels = name.removesuffix(".").split(".")
    # A name whose last label is a number is a mistyped address such as 10.0.0.256.
    return len(name) <= 253 and not labels[-1].isdigit() and all(_LABEL.fullmatch(label) for label in labels)


def host(cell: str) -> str:
    text(255)(cell)
    if cell and not is_host(cell):
        raise Unfit(_("%(text)s is neither an IP address nor a host name", text=shown(cell)))
    return cell


def web_address(cell: str) -> str:
    """Empty, or an http or https address with a host; a user or password in it belongs in a credential."""
    text(255)(cell)
    if not cell:
        return cell
    try:
        parts = urlsplit(cell)
        has_host = parts.hostname is not None and is_host(parts.hostname)
        has_port = parts.port is None or parts.port > 0
    except ValueError:
        raise Unfit(_("is no web address")) from None
    if parts.scheme not in ("http", "https"):
        raise Unfit(_("does not begin with http:// or https://"))
    if not has_host:
        raise Unfit(_("names no host"))
    if not has_port:
        raise Unfit(_("names a port out of range"))
    if "@" in parts.netloc:
        raise Unfit(_("holds a user name; put user and password in a credential"))
    if parts.query or parts.fragment or any(character.isspace() for character in cell):
        raise Unfit(_("is no plain web address"))
    return cell


def dial_address(cell: str) -> str:
    """Empty, a number or alias, or a SIP or H.323 address; what follows @ is a host (RFC 3261, 19)."""
    text(255)(cell)
    if any(character.isspace() for character in cell):
        raise Unfit(_("%(text)s holds a blank", text=shown(cell)))
    scheme, colon, rest = cell.partition(":")
    if not (colon and scheme.lower() in ("sip", "sips", "h323")):
        scheme, rest = "", cell
    if "@" not in rest and not scheme:
        return cell
    if not _names_host(rest.rpartition("@")[2]):
        raise Unfit(_("%(text)s names no host that is an IP address or a host name", text=shown(cell)))
    return cell


def _names_host(authority: str) -> bool:
    """Whether the text is a host, perhaps with a port, perhaps with parameters behind a semicolon."""
    place = re.split("[;?]", authority)[0]
    try:
        parts = urlsplit(f"//{place}")
        return parts.hostname is not None and is_host(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False


def or_when_empty(value: Any, check: Check) -> Check:
    return lambda cell: check(cell) if cell else value


CHECKS: dict[str, Check] = {
    "code": code,
    "name": text(200, required=True),
    "site": text(200, required=True),
    "organisation": text(200, required=True),
    "organisation_kind": one_of(OrganisationKind),
    "health_region": text(40, required=True),
    "county": text(100, required=True),
    "municipality": text(100, required=True),
    "town": text(100, required=True),
    "latitude": degrees(90),
    "longitude": degrees(180),
    "capacity": whole_number(1, LARGEST_CAPACITY),
    "equipment": equipment,
    "dial_address": dial_address,
    "control_driver": or_when_empty(None, one_of(ControlDriver)),
    "control_url": web_address,
    "control_credential": text(100),
    "snmp_host": host,
    "snmp_port": or_when_empty(DEFAULT_SNMP_PORT, whole_number(1, 65_535)),
    "snmp_version": or_when_empty(SnmpVersion.V2C, one_of(SnmpVersion)),
    "snmp_credential": text(100),
}
