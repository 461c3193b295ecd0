"""The pages /studios/ and /studios/<code>."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from accounts.permissions import EVERY_ROLE, access, allow
from config import settings
from errors import NotFound
from models import Closure, EndpointStatus, Health, OrganisationKind, Reservation, Role, SnmpVersion, Studio
from studios.booking.queries import may_see_title
from studios.calendars.rules import Block, Buffers, Span, Taken, Window, lane_blocks, window_around
from studios.inventory import queries
from studios.inventory.equipment import equipment_name
from studios.inventory.present import QUALITY_COUNTS, Quality, is_watched_in_clear, present_health, quality_of
from studios.inventory.wording import FACES, KINDS, QUALITIES, Face, cause_word

LONGEST_TEXT = 200

blueprint = Blueprint("inventory", __name__, url_prefix="/studios")


@dataclass(frozen=True)
class Row:
    """A studio of the list, as its row shows it."""

    studio: Studio
    face: Face
    in_call: bool
    in_clear: bool


@dataclass(frozen=True)
class Booked:
    """Somebody's time in the studio. Without a title it is somebody else's, and what they meet about is theirs."""

    start: datetime
    end: datetime
    reference: str
    owner: str
    title: str


@blueprint.get("/")
@allow(*EVERY_ROLE)
def studios() -> ResponseReturnValue:
    regions = queries.health_regions()
    text = request.args.get("q", "")[:LONGEST_TEXT]
    region = request.args["region"] if request.args.get("region") in regions else ""
    kind = _kind(request.args.get("kind", ""))
    in_clear = _sees_security() and request.args.get("snmp") == SnmpVersion.V2C
    page = queries.list_studios(text, region, kind, request.args.get("page", 1, type=int), in_clear)
    chosen: dict[str, Any] = {
        "q": text,
        "region": region,
        "kind": kind.value if kind else "",
        "snmp": SnmpVersion.V2C.value if in_clear else "",
    }
    given = {name: value for name, value in chosen.items() if value}
    return render_template(
        "inventory/_studios.html" if request.headers.get("HX-Request") else "inventory/studios.html",
        page=page,
        rows=_rows(page.lines),
        chosen=chosen,
        kinds=KINDS,
        regions=regions,
        sees_security=_sees_security(),
        may_bring_in=access().has(Role.ADMINISTRATOR),
        address=lambda number: url_for(".studios", **given, page=number),
    )


@blueprint.get("/<code>")
@allow(*EVERY_ROLE)
def studio(code: str) -> ResponseReturnValue:
    found = queries.studio_by_code(code)
    if found is None:
        raise NotFound(_("There is no studio with the code %(code)s.", code=code[:40]))
    now = datetime.now(UTC)
    day = _day_of(now)
    status, closures = queries.status_of(found), queries.closures_of(found, day.start, day.end)
    reservations = queries.reservations_of(found, day.start, day.end)
    window = _window(day, reservations, now)
    return render_template(
        "inventory/studio.html",
        studio=found,
        status=status,
        face=FACES[_health(status, any(closure.starts_at <= now < closure.ends_at for closure in closures), now)],
        peer=queries.studio_at(status.call_peer) if status and status.in_call and status.call_peer else None,
        closures=[closure for closure in closures if closure.ends_at > now],
        bookings=[_booked(row) for row in reservations],
        ticks=window.ticks(_zone()),
        blocks=_blocks(window, reservations, closures),
        changes=queries.recent_changes(found),
        quality=_quality(found, now),
        tests_at=url_for("quality.test", code=found.code) if _looks_after(found) else None,
        books_at=_address_to_book(found),
        conference_address=_conference_address,
        faces=FACES,
        kinds=KINDS,
        cause_word=cause_word,
        equipment=[equipment_name(piece) for piece in found.equipment],
        in_clear=_sees_security() and is_watched_in_clear(found.endpoint),
        now=now,
    )


@dataclass(frozen=True)
class QualityShown:
    """`expires_on`: when the last test counts no longer; none where there never was one."""

    tone: str
    word: str
    expires_on: date | None


def _quality(found: Studio, now: datetime) -> QualityShown:
    says = quality_of(found.quality_tested_on, found.quality_test_passed, now.astimezone(_zone()).date())
    tone, word = QUALITIES[says]
    tested_on = found.quality_tested_on if says is not Quality.NONE else None
    return QualityShown(tone, str(word), tested_on + QUALITY_COUNTS if tested_on else None)


def _looks_after(found: Studio) -> bool:
    return access().covers(found.site.organisation_id, Role.TECHNICIAN, Role.ADMINISTRATOR)


def _sees_security() -> bool:
    """A weakness is for those who can mend it, and nobody else's reading."""
    return access().has(Role.TECHNICIAN, Role.ADMINISTRATOR)


def _kind(text: str) -> OrganisationKind | None:
    return OrganisationKind(text) if text in list(OrganisationKind) else None


def _zone() -> ZoneInfo:
    return ZoneInfo(settings().zone)


def _day_of(now: datetime) -> Span:
    """The day of wall time that `now` is in; 23 to 25 hours long."""
    midnight = now.astimezone(_zone()).replace(hour=0, minute=0, second=0, microsecond=0)
    return Span(midnight.astimezone(UTC), (midnight + timedelta(days=1)).astimezone(UTC))


def _window(day: Span, reservations: Sequence[Reservation], now: datetime) -> Window:
    """The hours of the day to show: those with what is booked now or next, office hours where they hold it."""
    ahead = next((one for one in reservations if one.ends_at > now), None)
    booked = Span(ahead.starts_at, ahead.ends_at).shared_with(day) if ahead else None
    return window_around(now.astimezone(_zone()).date(), booked, _zone())


def _health(status: EndpointStatus | None, closed: bool, now: datetime) -> Health:
    stale_after = timedelta(seconds=settings().stale_after)
    return present_health(
        status.health if status else None, status.last_poll_at if status else None, closed, now, stale_after
    )


def _rows(lines: Sequence[queries.StudioLine]) -> list[Row]:
    now = datetime.now(UTC)
    closed = queries.closed_now([line.studio for line in lines], now)
    return [
        Row(
            line.studio,
            FACES[_health(line.status, line.studio.id in closed, now)],
            bool(line.status and line.status.in_call),
            _sees_security() and is_watched_in_clear(line.studio.endpoint),
        )
        for line in lines
    ]


def _booked(row: Reservation) -> Booked:
    conference = row.conference
    if conference is None:
        return Booked(row.starts_at, row.ends_at, "", "", "")
    title = conference.title if may_see_title(access(), conference) else ""
    return Booked(conference.starts_at, conference.ends_at, conference.reference, conference.organisation.name, title)


def _blocks(window: Window, reservations: Sequence[Reservation], closures: Sequence[Closure]) -> list[Block]:
    taken = [
        Taken(
            Span(row.starts_at, row.ends_at),
            Span(row.conference.starts_at, row.conference.ends_at)
            if row.conference
            else Span(row.starts_at, row.ends_at),
            row.conference.reference if row.conference else "",
            bool(row.conference and may_see_title(access(), row.conference)),
        )
        for row in reservations
    ]
    closed = [Span(closure.starts_at, closure.ends_at) for closure in closures]
    return lane_blocks(window, taken, closed, Buffers(), None)


def _address_to_book(found: Studio) -> str | None:
    """Where the person may book this studio; none for those who may not, or once it is retired."""
    may_book = access().has(Role.COORDINATOR, Role.ADMINISTRATOR) and found.retired_at is None
    if not may_book or "booking.book" not in current_app.view_functions:
        return None
    return url_for("booking.book", studio=found.code)


def _conference_address(reference: str) -> str:
    return url_for("booking.conferences") + reference
