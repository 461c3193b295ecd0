"""The technician's status page, and the small answers that keep an open page true."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from accounts.permissions import EVERY_ROLE, access, allow, polled
from config import settings
from errors import Invalid
from models import database_now
from monitoring import wording
from monitoring.dashboard import RISK_AHEAD, Snapshot, heartbeat, snapshot, studios_of
from monitoring.incident_pages import may_move, may_work_on
from monitoring.lookout import lookout
from monitoring.map_drawing import drawing
from monitoring.marks import mark_of, unless_seen
from monitoring.page import CALLS_SHOWN, CASES_SHOWN, DESK, LISTED, RISKS_SHOWN, Screen, news, status_page
from monitoring.places import places
from monitoring.stirrings import Cursor, Stirring, cursor_after, stirrings
from monitoring.tiles import Tile, TileState, Watch
from studios.booking.api.rights import CLOSERS, person
from studios.booking.wording import faults_found

blueprint = Blueprint("monitoring", __name__)


@blueprint.get("/status")
@allow(*EVERY_ROLE)
def status() -> ResponseReturnValue:
    now = database_now()
    page = status_page(snapshot(now, stale_after()), Cursor(now), DESK, person().id)
    return render_template("monitoring/status.html", page=page, now=now, beat=heartbeat(now, stale_after()))


@blueprint.get("/status/changes")
@allow(*EVERY_ROLE)
@polled
def changes() -> ResponseReturnValue:
    """What changed since the cursor, as parts that replace their like in the open page; 204 when nothing did."""
    return what_changed(DESK, person().id)


def what_changed(screen: Screen, me: int) -> ResponseReturnValue:
    cursor = _cursor()
    if cursor.is_asleep(datetime.now(UTC)):
        return _whole_page()
    looked = lookout().look(cursor, database_now, _look)
    fresh = cursor.fresh(looked.found)
    if not fresh:
        return Response(status=204)
    now = looked.now
    seen = snapshot(now, stale_after())
    if request.args.get("studios", type=int) != len(seen.tiles):
        return _whole_page()
    touched = _touched(fresh, seen)
    return render_template(
        "monitoring/changes.html",
        page=status_page(seen, cursor_after(looked.found, now), screen, me),
        now=now,
        touched=touched,
        news=news(fresh, touched.values(), cursor),
    )


def _look(after: datetime, now: datetime) -> list[Stirring]:
    return stirrings(after, now, stale_after=stale_after(), risk_ahead=RISK_AHEAD)


@blueprint.get("/status/places")
@allow(*EVERY_ROLE)
def map_of_places() -> ResponseReturnValue:
    """Every place on a map, and the same in a table."""
    return render_template("monitoring/places.html", **_map())


@blueprint.get("/status/places/live")
@allow(*EVERY_ROLE)
@polled
def map_live() -> ResponseReturnValue:
    """Both for a page that asks by itself; nothing when it has seen this already."""
    found = _map()
    return unless_seen(found["mark"], lambda: render_template("monitoring/_map.html", **found))


@blueprint.get("/status/heartbeat")
@allow(*EVERY_ROLE)
@polled
def beat() -> ResponseReturnValue:
    """How alive the monitor is and how old the data."""
    now = database_now()
    return render_template("monitoring/_beat.html", now=now, beat=heartbeat(now, stale_after()))


@blueprint.context_processor
def vocabulary() -> dict[str, object]:
    """What the templates of the status page speak with."""
    return {
        "wording": wording,
        "TileState": TileState,
        "Watch": Watch,
        "screen": DESK,
        "RISKS_SHOWN": RISKS_SHOWN,
        "CALLS_SHOWN": CALLS_SHOWN,
        "CASES_SHOWN": CASES_SHOWN,
        "LISTED": LISTED,
        "may_work_on": may_work_on,
        "may_move": may_move,
        "faults_found": faults_found,
        "may_close_some": access().has(*CLOSERS),
        "studio_address": _studio_address,
        "conference_address": _conference_address,
    }


def _studio_address(code: str) -> str:
    return url_for("studio_pages.page", code=code)


def _conference_address(reference: str) -> str:
    return url_for("booking.conference", reference=reference)


def stale_after() -> timedelta:
    return timedelta(seconds=settings().stale_after)


def _map() -> dict[str, Any]:
    now = database_now()
    seen = snapshot(now, stale_after())
    found = places(seen.tiles, seen.agenda, now)
    return {"places": found, "drawing": drawing(found), "now": now, "mark": mark_of(found)}


def _cursor() -> Cursor:
    try:
        return Cursor.parse(request.args.get("since", ""), request.args.get("seen", ""))
    except (ValueError, OverflowError, OSError):
        raise Invalid(_("This is not a time that the status page gave out. Reload the page.")) from None


def _whole_page() -> Response:
    return Response(status=204, headers={"HX-Refresh": "true"})


def _touched(fresh: Iterable[Stirring], seen: Snapshot) -> dict[int, Tile]:
    """The tiles of the studios that something happened to."""
    ids = {one.studio_id for one in fresh if one.studio_id}
    ids |= studios_of({one.conference_id for one in fresh if one.conference_id})
    return {studio_id: seen.tiles[studio_id] for studio_id in ids if studio_id in seen.tiles}
