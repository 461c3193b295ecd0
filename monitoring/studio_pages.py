"""The page /status/studios/<code>: a studio as technicians see it, with what was measured and what can be done."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_datetime
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from accounts.permissions import EVERY_ROLE, access, allow, polled
from config import settings
from errors import Forbidden, NotFound
from models import EndpointStatus, Health, Studio, database_now, write
from monitoring import incidents, studio_reads, wording
from monitoring.charts import Chart, Range, Stretch, Window, chart, columns, strip, window
from monitoring.marks import mark_of, unless_seen
from monitoring.rules import Cause
from monitoring.statuses import want
from studios.booking.api.reading import BOOKERS
from studios.booking.api.rights import may_close
from studios.booking.story import lines
from studios.inventory.present import present_health
from studios.inventory.queries import status_of, studio_by_code
from studios.inventory.wording import FACES, cause_word

blueprint = Blueprint("studio_pages", __name__, url_prefix="/status/studios")

RANGES = {Range.DAY: _l("A day"), Range.WEEK: _l("A week"), Range.MONTH: _l("A month")}
LABELS = {Range.DAY: "HH:mm", Range.WEEK: "EEE d.", Range.MONTH: "d. MMM"}


@dataclass(frozen=True, slots=True)
class Drawn:
    """One chart with its heading and unit."""

    name: str
    unit: str
    chart: Chart


@blueprint.get("/<code>")
@allow(*EVERY_ROLE)
def page(code: str) -> ResponseReturnValue:
    """How it is, what happened, and what was measured in a day, a week or a month."""
    studio = _studio(code)
    now = database_now()
    asked = request.args.get("range", "")
    chosen = Range(asked) if asked in list(Range) else Range.DAY
    shown = window(chosen, now)
    lines_at = columns(chosen, shown, ZoneInfo(settings().zone), lambda at: format_datetime(at, LABELS[chosen]))
    head = _head(studio, now)
    drawn, stretches = _drawn(studio, head["status"], chosen, shown, lines_at)
    return render_template(
        "monitoring/studio.html",
        chosen=chosen,
        ranges=RANGES,
        drawn=drawn,
        stretches=stretches,
        columns=lines_at,
        totals=_totals(stretches, shown),
        **head,
    )


@blueprint.get("/<code>/live")
@allow(*EVERY_ROLE)
@polled
def live(code: str) -> ResponseReturnValue:
    """What of the page changes by itself; nothing when it was seen already."""
    found = _head(_studio(code), database_now())
    return unless_seen(found["mark"], lambda: render_template("monitoring/_studio.html", **found))


@blueprint.post("/<code>/poll")
@allow(*incidents.WORKERS)
def poll(code: str) -> ResponseReturnValue:
    """Ask everything anew, also what the equipment did not know before."""
    studio = _studio(code)
    if not _works(studio):
        raise Forbidden(_("Only those who look after the studios of this organisation can have them asked."))
    if studio.endpoint is None or studio.retired_at is not None:
        raise NotFound(_("This studio has no equipment that could be asked."))
    key = studio.endpoint.id
    write(lambda: want([key]))
    flash(_("The equipment is asked now; what it answers is shown here within seconds."))
    return redirect(url_for(".page", code=code), 303)


@blueprint.context_processor
def _vocabulary() -> dict[str, object]:
    return {"wording": wording, "cause_word": cause_word, "faces": FACES}


def _head(studio: Studio, now: datetime) -> dict[str, Any]:
    status = status_of(studio)
    closures = studio_reads.closures_of(studio, now)
    closed = any(one.starts_at <= now for one in closures)
    stale_after = timedelta(seconds=settings().stale_after)
    polled_at = status.last_poll_at if status else None
    health = present_health(status.health if status else None, polled_at, closed, now, stale_after)
    events, incident = studio_reads.events_of(studio, now), studio_reads.open_incident(studio)
    facts = (
        health,
        [one.id for one in closures],
        status and (status.since, status.cause, status.in_call, status.call_peer, status.peripherals),
    )
    known = (facts, [event.id for event in events], incident and (incident.id, incident.assigned_to_id))
    mark = mark_of(known)
    return {
        "studio": studio,
        "equipment_name": _equipment_name(studio),
        "status": status,
        "closures": closures,
        "face": FACES[health],
        "cause": _cause(status, health, polled_at),
        "since": status.since if status and status.health is health else None,
        "plugged": _plugged(status),
        "incident": incident,
        "lines": lines(events, access().has(*incidents.WORKERS), wording.INCIDENT_KINDS),
        "works": _works(studio) and studio.retired_at is None,
        "closes": may_close(studio.site) and studio.retired_at is None,
        "books": access().has(*BOOKERS) and studio.retired_at is None,
        "now": now,
        "mark": mark,
        "live_address": url_for(".live", code=studio.code, seen=mark),
    }


def _equipment_name(studio: Studio) -> str:
    """Models often name their vendor themselves."""
    vendor, model = (studio.endpoint.vendor or "", studio.endpoint.model or "") if studio.endpoint else ("", "")
    return model if model.startswith(vendor) else f"{vendor} {model}".strip()


def _cause(status: EndpointStatus | None, health: Health, polled_at: datetime | None) -> str:
    if health is Health.MAINTENANCE:
        return str(cause_word(Cause.CLOSURE))
    if status is not None and status.health is health:
        return cause_word(status.cause)
    return str(cause_word(Cause.STALE if polled_at else Cause.NEVER_POLLED))


def _plugged(status: EndpointStatus | None) -> list[tuple[str, bool]]:
    """What is plugged in, or is not, in words."""
    stored = (status.peripherals or {}) if status else {}
    cameras, microphones = stored.get("cameras", {}), stored.get("microphones", {})
    found = [(_("Camera %(number)s", number=name), well) for name, well in sorted(cameras.items())]
    return found + [(_("Microphone %(number)s", number=name), well) for name, well in sorted(microphones.items())]


def _drawn(
    studio: Studio, status: EndpointStatus | None, chosen: Range, shown: Window, lines_at: list[Any]
) -> tuple[list[Drawn], list[Stretch]]:
    if studio.endpoint is None:
        return [], []
    found = studio_reads.samples(studio.endpoint.id, chosen, shown)
    changes = studio_reads.state_changes(studio.endpoint.id, shown.start)
    charts = [
        Drawn(_("Answered"), "%", chart(found, lambda one: one.available, shown, lines_at, full=100.0)),
        Drawn(_("Round trip"), "ms", chart(found, lambda one: one.round_trip_ms, shown, lines_at)),
        Drawn(_("Loss in calls"), "%", chart(found, lambda one: one.loss_percent, shown, lines_at)),
        Drawn(_("Jitter in calls"), "ms", chart(found, lambda one: one.jitter_ms, shown, lines_at)),
    ]
    return charts, strip(changes, status.health if status else None, shown)


def _totals(stretches: list[Stretch], shown: Window) -> list[tuple[Health, float]]:
    """How much of the time each state took, in percent, the most first."""
    whole = (shown.end - shown.start).total_seconds()
    times: dict[Health, float] = {}
    for one in stretches:
        times[one.health] = times.get(one.health, 0.0) + (one.end - one.start).total_seconds()
    return sorted(((health, 100 * took / whole) for health, took in times.items()), key=lambda each: -each[1])


def _works(studio: Studio) -> bool:
    return access().covers(studio.site.organisation_id, *incidents.WORKERS)


def _studio(code: str) -> Studio:
    found = studio_by_code(code)
    if found is None:
        raise NotFound(_("There is no studio with the code %(code)s.", code=code[:40]))
    return found
