"""The pages /status/incidents: what fails now, the most urgent first, and what people do about it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from accounts.permissions import EVERY_ROLE, access, allow, polled
from errors import Conflict, Forbidden, Invalid, Refused
from models import Incident, database_now, write
from monitoring import incident_reads, incidents, wording
from monitoring.incident_reads import Sought
from monitoring.marks import unless_seen
from monitoring.statuses import want
from monitoring.threats import Threat
from monitoring.wall import REGIONS
from studios.booking.api.reading import BOOKERS
from studios.booking.api.rights import person
from studios.booking.story import lines

blueprint = Blueprint("incident_pages", __name__, url_prefix="/status/incidents")


@dataclass(frozen=True)
class Filter:
    """What the list is narrowed to, as the address says it."""

    over: bool = False
    mine: bool = False
    untaken: bool = False
    region: str = ""

    @staticmethod
    def asked() -> "Filter":
        region = request.args.get("region", "")
        words = [name for name in ("over", "mine", "untaken") if name in request.args]
        return Filter(region=region if region in REGIONS else "", **dict.fromkeys(words, True))

    def address(self, endpoint: str = "incident_pages.listed", **more: Any) -> str:
        words: dict[str, Any] = {name: 1 if getattr(self, name) else None for name in ("over", "mine", "untaken")}
        return url_for(endpoint, region=self.region or None, **words, **more)

    def turned(self, **changes: Any) -> str:
        return replace(self, **changes).address()

    def sought(self) -> Sought:
        return Sought(
            resolved=self.over,
            region=self.region,
            mine=person().id if self.mine else 0,
            untaken=self.untaken and not self.over,
        )


@blueprint.get("")
@allow(*EVERY_ROLE)
def listed() -> ResponseReturnValue:
    """All that is open, or the last that are over."""
    return render_template("monitoring/incidents.html", **_list())


@blueprint.get("/live")
@allow(*EVERY_ROLE)
@polled
def listed_live() -> ResponseReturnValue:
    """The list for a page that asks by itself; nothing when it has seen this already."""
    found = _list()
    return unless_seen(found["mark"], lambda: render_template("monitoring/_incidents.html", **found))


@blueprint.get("/<int:number>")
@allow(*EVERY_ROLE)
def one(number: int) -> ResponseReturnValue:
    """One incident: what it hits, what can be done, and what happened."""
    return render_template("monitoring/incident.html", **_one(number))


@blueprint.get("/<int:number>/live")
@allow(*EVERY_ROLE)
@polled
def one_live(number: int) -> ResponseReturnValue:
    """What of the page changes by itself."""
    found = _one(number)
    return unless_seen(found["mark"], lambda: render_template("monitoring/_incident.html", **found))


@blueprint.post("/<int:number>/acknowledge")
@allow(*incidents.WORKERS)
def acknowledge(number: int) -> ResponseReturnValue:
    """The person takes it."""
    return _done(number, lambda: incidents.acknowledge(number, person()), _("You have this incident now."))


@blueprint.post("/<int:number>/assign")
@allow(*incidents.WORKERS)
def assign(number: int) -> ResponseReturnValue:
    """Somebody else is to see to it."""
    to = request.form.get("account", 0, type=int)
    return _done(number, lambda: incidents.assign(number, to, person()), _("The incident is given on."))


@blueprint.post("/<int:number>/note")
@allow(*incidents.WORKERS)
def note(number: int) -> ResponseReturnValue:
    """What was found; kept as typed where it is refused."""
    text = request.form.get("text", "")
    return _done(number, lambda: incidents.note(number, text, person()), _("The note is kept."), typed=text)


@blueprint.post("/<int:number>/resolve")
@allow(*incidents.WORKERS)
def resolve(number: int) -> ResponseReturnValue:
    """The fault is gone."""
    return _done(number, lambda: incidents.resolve(number, person()), _("The incident is resolved."))


@blueprint.post("/<int:number>/reopen")
@allow(*incidents.WORKERS)
def reopen(number: int) -> ResponseReturnValue:
    """It is not over."""
    return _done(number, lambda: incidents.reopen(number, person()), _("The incident is open again."))


@blueprint.post("/<int:number>/poll")
@allow(*incidents.WORKERS)
def poll(number: int) -> ResponseReturnValue:
    """Ask the studio's equipment now."""

    def work() -> Incident:
        found = incident_reads.incident_at(number)
        if found.studio is None or found.studio.endpoint is None:
            raise Conflict(_("There is no single studio to ask."))
        want([found.studio.endpoint.id])
        return found

    return _done(number, work, _("The equipment is asked now; what it answers is shown here within seconds."))


@blueprint.context_processor
def _vocabulary() -> dict[str, object]:
    return {
        "wording": wording,
        "REGIONS": REGIONS,
        "studio_address": lambda code: url_for("studio_pages.page", code=code),
        "conference_address": lambda reference: url_for("booking.conference", reference=reference),
    }


def may_work_on(incident: Incident) -> bool:
    return access().covers(incident.where.organisation_id, *incidents.WORKERS)


def may_move(threat: Threat) -> bool:
    """Whether the person may choose another studio for this conference."""
    return access().covers(threat.organisation_id, *BOOKERS)


def _list() -> dict[str, Any]:
    now, chosen = database_now(), Filter.asked()
    found = incident_reads.cases(chosen.sought(), now)
    mark = incident_reads.mark_of_cases(found)
    return {
        "cases": found,
        "chosen": chosen,
        "may_work_on": may_work_on,
        "now": now,
        "mark": mark,
        "live_address": chosen.address("incident_pages.listed_live", seen=mark),
    }


def _one(number: int) -> dict[str, Any]:
    now = database_now()
    case = incident_reads.case(number, now)
    events = incident_reads.story_of(case.incident)
    mark = incident_reads.mark_of_cases([case], events)
    return {
        "case": case,
        "incident": case.incident,
        "lines": lines(events, access().has(*incidents.WORKERS), wording.INCIDENT_KINDS),
        "works": may_work_on(case.incident),
        "assignable": incidents.assignable() if may_work_on(case.incident) else (),
        "may_move": may_move,
        "now": now,
        "mark": mark,
        "live_address": url_for("incident_pages.one_live", number=number, seen=mark),
    }


def _done(number: int, work: Callable[[], Incident], told: str, typed: str = "") -> ResponseReturnValue:
    """Do it, say so and go back to where it was pressed; or say why it was not done."""

    def checked() -> None:
        if not may_work_on(incident_reads.incident_at(number)):
            raise Forbidden(
                _("Only those who look after the studios of this organisation work on its incidents."),
            )
        work()

    try:
        write(checked)
    except (Conflict, Invalid) as refused:
        return _refused(number, refused, typed), refused.status
    flash(told)
    back = request.form.get("back", "")
    listed_at = url_for("incident_pages.listed")
    here = url_for("incident_pages.one", number=number)
    return redirect(back if back.split("?")[0] in (listed_at, url_for("monitoring.status")) else here, 303)


def _refused(number: int, refused: Refused, typed: str) -> str:
    return render_template("monitoring/incident.html", refusal=refused.message, typed=typed, **_one(number))
