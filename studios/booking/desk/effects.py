"""What booking, or saving a change, will do: to the wished studios, to others, and who is written to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask_babel import gettext as _

from models import Conference
from studios.booking.candidates import Candidate, Own
from studios.booking.desk.parties import Place
from studios.booking.times import clock, day_name
from studios.calendars.rules import Span


@dataclass(frozen=True)
class Effect:
    """For one party: its studio, what it says to that, and who gets mail of it. `was`: the studio it leaves."""

    name: str
    studio: str
    answer: str
    mail: str
    was: str = ""


def effects(
    places: Sequence[Place], rooms: Sequence[int | None], known: Mapping[int, Candidate], own: Own
) -> list[Effect]:
    """A line for each party; `rooms` are the studios that they would get."""
    return [_effect(place, known.get(room or 0), own) for place, room in zip(places, rooms, strict=True)]


def _effect(place: Place, room: Candidate | None, own: Own) -> Effect:
    if place.is_guest:
        return Effect(place.name, "–", _("Is called at the start"), _("Nobody: tell them yourself"))
    if room is None:
        return Effect(place.name, "–", "–", "–")
    if own.covers(room.organisation_id):
        return Effect(place.name, room.name, _("Yours, taken at once"), _("You"))
    answer = (
        _("Held, and its owner is asked for approval")
        if room.needs_approval
        else _("Taken at once; its owner can decline")
    )
    return Effect(place.name, room.name, answer, _("The coordinators of %(owner)s", owner=room.organisation))


def changes(
    conference: Conference, meeting: Span, rooms: Sequence[int | None], known: Mapping[int, Candidate]
) -> list[str]:
    """What is different from what is booked, in sentences; nothing where all stays."""
    found = []
    if (conference.starts_at, conference.ends_at) != (meeting.start, meeting.end):
        old = Span(conference.starts_at, conference.ends_at)
        found.append(_("Moves from %(old)s to %(new)s.", old=_when(old), new=_when(meeting)))
    present = {
        party.reservation.studio_id: party.reservation.studio.name
        for party in conference.parties
        if party.reservation and party.reservation.released_at is None
    }
    wanted = {room for room in rooms if room is not None}
    found += [_("%(studio)s comes free.", studio=name) for key, name in present.items() if key not in wanted]
    found += [
        _("%(studio)s is taken.", studio=known[key].name) for key in sorted(wanted - present.keys()) if key in known
    ]
    return found


def _when(span: Span) -> str:
    return f"{day_name(span.start)} {clock(span.start)}–{clock(span.end)}"
