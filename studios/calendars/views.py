"""Calendars to look at: a studio, a site or an organisation by day and week; a site's next days; a list to print."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from accounts.permissions import EVERY_ROLE, access, allow
from accounts.queries import organisations_for
from config import settings
from errors import NotFound
from models import Role
from studios.booking.candidates import Candidate
from studios.booking.desk.cards import cards_of
from studios.booking.desk.finder import find_places
from studios.booking.desk.parties import Network
from studios.booking.rooms import rooms
from studios.booking.typed import read_date, turned
from studios.calendars.next_day import list_of
from studios.calendars.rules import Span, Window, window_around
from studios.calendars.schedules import (
    booked_in,
    closed_in,
    day_lanes,
    days_of_week,
    span_of_days,
    week_cells,
    week_lanes,
)
from studios.inventory.search import in_order
from studios.inventory.wording import FACES

MOST_STUDIOS = 60
SITE_DAYS = 6
EARLY, LATE = 0, 14  # o'clock: where the ten hours begin that are shown instead of the usual ones

blueprint = Blueprint("calendar", __name__)


@blueprint.app_template_filter()
def hhmm(instant: datetime) -> str:
    """The wall clock's hours and minutes, which are the same in all our languages; a page has hundreds of them."""
    return f"{instant.astimezone(_zone()):%H:%M}"


@blueprint.get("/calendar/")
@allow(*EVERY_ROLE)
def index() -> ResponseReturnValue:
    """Find a calendar; who belongs to one organisation alone is there at once."""
    text = request.args.get("q", "").strip()[:200]
    own = organisations_for(access(), *Role)
    if not text and len(own) == 1:
        return redirect(url_for(".organisation", number=own[0].id))
    places = find_places(text, Network(rooms())) if text else []
    return render_template("calendars/index.html", text=text, places=places, own=own[:20])


@blueprint.get("/calendar/studio/<code>")
@allow(*EVERY_ROLE)
def studio(code: str) -> ResponseReturnValue:
    found = [room for room in rooms().values() if room.code == code]
    if not found:
        raise NotFound(_("There is no studio with the code %(code)s.", code=code[:40]))
    return _calendar(found, found[0].name, found[0].site, url_for(".studio", code=code))


@blueprint.get("/calendar/site/<int:number>")
@allow(*EVERY_ROLE)
def site(number: int) -> ResponseReturnValue:
    found = _at_site(number)
    return _calendar(found, found[0].site, found[0].organisation, url_for(".site", number=number))


@blueprint.get("/calendar/organisation/<int:number>")
@allow(*EVERY_ROLE)
def organisation(number: int) -> ResponseReturnValue:
    found = [room for room in rooms().values() if room.organisation_id == number]
    if not found:
        raise NotFound(_("There is no organisation with studios here."))
    return _calendar(found, found[0].organisation, "", url_for(".organisation", number=number))


@blueprint.get("/sites/<int:number>/today")
@allow(*EVERY_ROLE)
def today_at(number: int) -> ResponseReturnValue:
    """Today and the next five days at a site, for whoever is there and opens the doors."""
    found, zone = _at_site(number), _zone()
    first = datetime.now(zone).date()
    days = [first + timedelta(days=each) for each in range(SITE_DAYS)]
    booked = booked_in(found, span_of_days(days, zone), access())
    names = {room.id: room for room in found}
    by_day = [
        (
            day,
            sorted(
                (
                    (names[each.studio_id], each)
                    for some in booked.values()
                    for each in some
                    if each.meeting.start.astimezone(zone).date() == day
                ),
                key=lambda pair: (pair[1].meeting.start, pair[0].code),
            ),
        )
        for day in days
    ]
    return render_template(
        "calendars/today.html", site=found[0], by_day=by_day, cards=cards_of(found, datetime.now(UTC)), faces=FACES,
        made_at=datetime.now(UTC), today=first,
    )  # fmt: skip


@blueprint.get("/next-24-hours")
@allow(*EVERY_ROLE)
def next_day() -> ResponseReturnValue:
    """A list to print, for when all else is down."""
    everything = rooms()
    regions = sorted({room.health_region for room in everything.values()})
    region = request.args.get("region", "")
    region = region if region in regions else next(iter(regions), "")
    found = {key: room for key, room in everything.items() if room.health_region == region}
    now = datetime.now(UTC)
    return render_template(
        "calendars/next_day.html", regions=regions, region=region, sites=list_of(found, now, access()), now=now
    )


def _calendar(found: Sequence[Candidate], name: str, more: str, address: str) -> ResponseReturnValue:
    zone, now = _zone(), datetime.now(UTC)
    today = now.astimezone(zone).date()
    typed = request.args.get("day", "")
    day = (read_date(typed, today) if typed else today) or today
    is_week = request.args.get("view") == "week"
    ordered = sorted(found, key=lambda room: in_order(room.code))
    page = max(1, min(request.args.get("page", 1, type=int), -(-len(ordered) // MOST_STUDIOS)))
    shown = ordered[(page - 1) * MOST_STUDIOS : page * MOST_STUDIOS]
    hours = request.args.get("hours", "")
    window = _window(day, hours, zone)
    days = days_of_week(day) if is_week else [day]
    span = span_of_days(days, zone) if is_week else window.span
    booked, closed = booked_in(shown, span, access()), closed_in(shown, span)
    one = shown[0] if is_week and len(shown) == 1 else None

    def link(**changes: object) -> str:
        asked = {"day": day.isoformat(), "view": "week" if is_week else "", "hours": hours, "page": page, **changes}
        return f"{address}?" + "&".join(f"{key}={value}" for key, value in asked.items() if value not in ("", 1))

    step = 7 if is_week else 1
    return render_template(
        "calendars/calendar.html",
        name=name, more=more, day=day, today=today, is_week=is_week, days=days, link=link, rooms=shown, page=page,
        pages=-(-len(ordered) // MOST_STUDIOS), previous=turned(day, -step), following=turned(day, step),
        lanes=week_lanes(one, days, zone, booked, closed) if one else [] if is_week
        else day_lanes(shown, day, window, booked, closed),
        cells=[(room, week_cells(booked[room.id], days, zone)) for room in shown] if is_week and not one else [],
        ticks=window.ticks(zone), hours=hours, zone=zone,
        now_column=_now_column(window, now) if not is_week else None,
        books=access().has(Role.COORDINATOR, Role.ADMINISTRATOR),
        page_link=lambda number: link(page=number),
    )  # fmt: skip


def _window(day: date, hours: str, zone: ZoneInfo) -> Window:
    usual = window_around(day, None, zone)
    midnight = span_of_days([day], zone).start
    return {"early": Window(midnight), "late": Window(midnight + timedelta(hours=LATE))}.get(hours, usual)


def _now_column(window: Window, now: datetime) -> int | None:
    found = window.columns(Span(now, now + timedelta(minutes=1)))
    return found[0] if found else None


def _at_site(number: int) -> list[Candidate]:
    found = [room for room in rooms().values() if room.site_id == number]
    if not found:
        raise NotFound(_("There is no site with studios here."))
    return sorted(found, key=lambda room: in_order(room.code))


def _zone() -> ZoneInfo:
    return ZoneInfo(settings().zone)
