"""What happened to a conference, in sentences. An event of a kind without one shows its kind."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from flask_babel import LazyString, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from models import Event
from studios.booking.times import capital, clock, clock_seconds, day_name
from studios.booking.wording import cause_sentence, faults_found
from studios.inventory.wording import cause_word, trap_word


@dataclass(frozen=True)
class Kind:
    """How events of a kind are told. `loud` ones explain a fault or a turn; the others are quiet."""

    shape: str
    tone: str
    sentence: str | LazyString
    loud: bool = True


KINDS = {
    "conference.booked": Kind("cal", "idle", _l("Booked"), loud=False),
    "conference.changed": Kind("cal", "idle", _l("Changed"), loud=False),
    "conference.cancelled": Kind("x", "idle", _l("Cancelled")),
    "conference.ended_early": Kind("person", "idle", _l("Ended before its time")),
    "conference.nobody_came": Kind("person", "degraded", _l("Nobody came to any of the rooms; they were given back")),
    "conference.restored": Kind("cal", "idle", _l("The cancellation was taken back")),
    "conference.extended": Kind("cal", "idle", _l("Extended while it was running")),
    "conference.without_parties": Kind("x", "degraded", _l("Nobody was left to meet, so nobody was called")),
    "conference.displaced": Kind("x", "down", _l("Had to give way to an emergency")),
    "conference.swapped": Kind("cal", "idle", _l("Moved to make room for another conference"), loud=False),
    "conference.given_way": Kind("cal", "idle", _l("Another conference was moved to make room for it"), loud=False),
    "conference.offered": Kind("clock", "idle", _l("A new time is held for it")),
    "conference.rerouted": Kind("call", "degraded", _l("The calls go another way, for their bridge fails")),
    "party.accepted": Kind("person", "ok", _l("%(studio)s takes part"), loud=False),
    "party.declined": Kind("person", "degraded", _l("%(studio)s does not take part")),
    "party.expired": Kind("clock", "degraded", _l("Nobody approved the use of %(studio)s in time")),
    "party.released": Kind("person", "idle", _l("%(studio)s was given back before the end")),
    "party.joined": Kind("person", "ok", _l("%(studio)s joined while it was running")),
    "party.replaced": Kind("person", "ok", _l("%(studio)s takes a place at the table")),
    "conference.starting": Kind("clock", "idle", _l("The calls are being set up"), loud=False),
    "conference.running": Kind("call", "ok", _l("All parties are connected")),
    "conference.degraded": Kind("degraded", "degraded", _l("Not all parties are connected")),
    "conference.stopping": Kind("stop", "idle", _l("The calls are being taken down"), loud=False),
    "conference.ended": Kind("ok", "ok", _l("The conference has ended")),
    "conference.failed": Kind("down", "down", _l("The conference did not take place")),
    "studio.asked": Kind("clock", "idle", _l("The panel at %(studio)s asks for a press"), loud=False),
    "studio.pressed": Kind("person", "ok", _l("Somebody at %(studio)s let the conference in"), loud=False),
    "studio.muted": Kind("mute", "idle", _l("Camera and microphone at %(studio)s are off"), loud=False),
    "studio.opened": Kind("person", "ok", _l("Camera and microphone at %(studio)s were switched on"), loud=False),
    "studio.not_asked": Kind("degraded", "degraded", _l("The panel at %(studio)s could not ask for a press")),
    "studio.not_muted": Kind(
        "degraded", "degraded", _l("Camera and microphone at %(studio)s could not be switched off")
    ),
    "studio.not_cleared": Kind("degraded", "degraded", _l("Camera and microphone at %(studio)s stayed off")),
    "studio.preflight_failed": Kind("degraded", "degraded", _l("The look before the start found %(studio)s wanting")),
    "studio.ok": Kind("ok", "ok", _l("The equipment at %(studio)s is well"), loud=False),
    "studio.degraded": Kind("degraded", "degraded", _l("The equipment at %(studio)s has a fault")),
    "studio.down": Kind("down", "down", _l("The equipment at %(studio)s does not answer")),
    "studio.unreachable": Kind("cut", "down", _l("The whole site of %(studio)s is out of contact")),
    "studio.unknown": Kind("unknown", "idle", _l("Nothing is known of the equipment at %(studio)s")),
    "studio.maintenance": Kind("maint", "idle", _l("%(studio)s is out of use")),
    "studio.closed": Kind("maint", "idle", _l("%(studio)s was taken out of use")),
    "studio.reopened": Kind("ok", "ok", _l("%(studio)s is back in use")),
    "studio.retired": Kind("x", "idle", _l("%(studio)s was retired")),
    "studio.taken_back": Kind("ok", "ok", _l("%(studio)s was taken back into use")),
    "studio.quality_passed": Kind("ok", "ok", _l("%(studio)s passed its quality test"), loud=False),
    "studio.quality_failed": Kind("degraded", "degraded", _l("%(studio)s did not pass its quality test")),
    "studio.mistaken": Kind("degraded", "degraded", _l("The equipment at %(studio)s answers as that of another")),
    "studio.trap": Kind("pulse", "idle", _l("The equipment at %(studio)s reports something"), loud=False),
    "leg.dialled": Kind("call", "idle", _l("%(studio)s is called"), loud=False),
    "leg.dialling": Kind("call", "idle", _l("The call to %(studio)s is on its way"), loud=False),
    "leg.ringing": Kind("call", "idle", _l("It rings at %(studio)s"), loud=False),
    "leg.connected": Kind("call", "ok", _l("%(studio)s is connected")),
    "leg.adopted": Kind("call", "ok", _l("%(studio)s: the call that was up already was taken over")),
    "leg.begun_by_hand": Kind("person", "ok", _l("%(studio)s: a call that people began by hand belongs to it")),
    "leg.call_asked": Kind("person", "idle", _l("%(studio)s is to be called again")),
    "leg.hang_up_asked": Kind("person", "idle", _l("%(studio)s is to be taken out of the call")),
    "leg.left": Kind("person", "degraded", _l("%(studio)s hung up")),
    "leg.dropped": Kind("call", "down", _l("%(studio)s dropped out of the call")),
    "leg.failed": Kind("call", "degraded", _l("%(studio)s was not reached")),
    "leg.hung_up": Kind("stop", "idle", _l("%(studio)s is being hung up"), loud=False),
    "leg.stopped": Kind("stop", "idle", _l("%(studio)s is out of the call"), loud=False),
    "leg.stop_failed": Kind("stop", "degraded", _l("%(studio)s could not be hung up")),
    "leg.stop_given_up": Kind("stop", "down", _l("The call at %(studio)s was never seen to end")),
}
OF_THE_BOOKING = {
    "conference.booked",
    "conference.changed",
    "conference.cancelled",
    "conference.restored",
    "conference.displaced",
    "conference.swapped",
    "conference.given_way",
    "conference.offered",
    "party.accepted",
    "party.declined",
    "party.expired",
}


@dataclass(frozen=True)
class Line:
    """One event as the page tells it."""

    at: datetime
    shape: str
    tone: str
    what: str
    more: str
    loud: bool


@dataclass(frozen=True)
class Chapter:
    """Events in a row that belong together."""

    heading: str
    lines: list[Line]


def tell(events: Iterable[Event], meeting_day: datetime, names: bool) -> list[Chapter]:
    """The story in the order of the events; `names` says whether people and reasons may be told."""
    return [
        Chapter(heading, [_line(event, names) for event in group])
        for heading, group in groupby(events, lambda event: _heading(event, meeting_day))
    ]


def lines(events: Iterable[Event], names: bool, kinds: Mapping[str, Kind]) -> list[Line]:
    """Events in their order, without chapters; `kinds` are told beside those that conferences know."""
    return [_line(event, names, kinds) for event in events]


def _heading(event: Event, meeting_day: datetime) -> str:
    part = _("Booking") if event.kind in OF_THE_BOOKING else _("Calls")
    day = day_name(event.at)
    return part if day == day_name(meeting_day) else f"{part}, {day}"


def _line(event: Event, names: bool, kinds: Mapping[str, Kind] = KINDS) -> Line:
    kind = kinds.get(event.kind) or KINDS.get(event.kind, Kind("pulse", "idle", event.kind, loud=False))
    studio = event.studio.name if event.studio else _("A studio")
    person = event.account.name if event.account and names else ""
    details = event.details or {}
    reason = str(details.get("reason") or "") if names else ""
    is_of_equipment = "to" in details or event.kind.startswith("incident.")
    more = [person, *_details(details, is_of_equipment), reason]
    text = str(kind.sentence)
    what = text % {"studio": studio} if "%(studio)s" in text else text
    return Line(event.at, kind.shape, kind.tone, what, ". ".join(part.rstrip(".") for part in more if part), kind.loud)


def _details(details: Mapping[str, Any], is_of_equipment: bool) -> list[str]:
    found = []
    if "studios" in details:
        found.append(ngettext("%(num)s studio", "%(num)s studios", details["studios"]))
    if details.get("attempt", 1) != 1:
        found.append(_("Attempt %(number)s", number=details["attempt"]))
    if "replaced" in details:
        found.append(_("Instead of %(studio)s", studio=details["replaced"]))
    if "bridge" in details:
        found.append(_("%(other)s instead of %(bridge)s", other=details["other"], bridge=details["bridge"]))
    elif other := details.get("acute") or details.get("other"):
        found.append(str(other))
    if (cause := details.get("cause")) and not is_of_equipment:
        found.append(cause_sentence(str(cause)))
    elif fault := cause_word(str(cause)):
        found.append(capital(fault))
    if "trap" in details:
        found.append(capital(trap_word(str(details["trap"]))))
    if "told" in details:
        found.append(", ".join(map(str, details["told"])))
    if text := details.get("text"):
        found.append(str(text))
    if "to" in details and "from" not in details:
        found.append(str(details["to"]))
    if "failed" in details:
        found.append(capital(faults_found(details["failed"])))
    if again := _instant(details.get("next_attempt")):
        found.append(_("Next attempt %(time)s", time=clock_seconds(again)))
    return found + _changes(details.get("changes") or {})


def _changes(changes: Mapping[str, list[Any]]) -> list[str]:
    """What a change moved, added and took away; `changes` holds before and after of what differs."""
    found = []
    start, end = (list(map(_instant, changes.get(name, []))) for name in ("start", "end"))
    if len(start) == 2 and start[0] and start[1]:
        found.append(_("Start moved from %(before)s to %(after)s", before=_when(start[0]), after=_when(start[1])))
    elif len(end) == 2 and end[0] and end[1]:
        found.append(_("End moved from %(before)s to %(after)s", before=clock(end[0]), after=clock(end[1])))
    before, after = changes.get("studios", [[], []])
    if added := [code for code in after if code not in before]:
        found.append(_("Added %(codes)s", codes=", ".join(added)))
    if removed := [code for code in before if code not in after]:
        found.append(_("Removed %(codes)s", codes=", ".join(removed)))
    if before != after and not added and not removed:
        found.append(_("New order of the studios"))
    return found


def _when(instant: datetime) -> str:
    return f"{day_name(instant)} {clock(instant)}"


def _instant(text: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
