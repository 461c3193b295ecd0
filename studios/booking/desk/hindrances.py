"""What is in the way of the wished time, in words, with whose it is and whom to call."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _
from flask_babel import ngettext

from studios.booking.candidates import Candidate
from studios.booking.desk.outlook import Outlook
from studios.booking.desk.parties import Place
from studios.booking.explaining import blocker_sentence, lack_sentence, obstacle_sentence
from studios.booking.finding.question import Blocker, Why
from studios.booking.obstacles import Kind, Obstacle
from studios.booking.seating import UNFIT
from studios.booking.times import clock, day_name
from studios.calendars.rules import Span


@dataclass(frozen=True)
class Hindrance:
    """One thing in the way. `icon` is its shape and tone; `reference`, `owner` and `contact` are of whoever has the
    time, `movable` whether they may be asked for it; `more` says what else there is to know."""

    heading: str
    icon: str = "down"
    more: str = ""
    reference: str = ""
    owner: str = ""
    contact: str = ""
    movable: bool = False


def hindrances(outlook: Outlook, places: Sequence[Place], meeting: Span) -> list[Hindrance]:
    """All that is known to be in the way, by party; nothing when the meeting can be."""
    return list(dict.fromkeys(_hindrances(outlook, places, meeting)))


def _hindrances(outlook: Outlook, places: Sequence[Place], meeting: Span) -> Iterator[Hindrance]:
    yield from _unfit(outlook, places)
    if outlook.too_few:
        parties = [party for party in outlook.too_few.parties if party not in outlook.unfit]
        if parties:
            yield Hindrance(lack_sentence(parties[0], parties, len(outlook.too_few.rooms)))
        return
    missed = outlook.missed
    if missed is None:
        return
    for blocker in missed.general:
        yield Hindrance(blocker_sentence(blocker, "", meeting.start, False))
    for seat in missed.seats:
        if seat.studios > 1:
            name = places[seat.party].name
            yield Hindrance(
                ngettext(
                    "The %(num)s studio that would do is not free: %(name)s",
                    "None of the %(num)s studios that would do is free: %(name)s",
                    seat.studios,
                    name=name,
                )
            )
        for blocker in seat.blockers:
            yield _of(blocker, outlook.studios[blocker.room or 0], meeting.start)
    if missed.too_few:
        parties = list(missed.too_few.parties)
        yield Hindrance(lack_sentence(parties[0], parties, len(missed.too_few.rooms)))


def _unfit(outlook: Outlook, places: Sequence[Place]) -> Iterator[Hindrance]:
    for party, reasons in outlook.unfit.items():
        for reason in reasons:
            yield Hindrance(obstacle_sentence(Obstacle(UNFIT[reason], studio=places[party].name)))


def _of(blocker: Blocker, room: Candidate, start: datetime) -> Hindrance:
    span = blocker.span
    if blocker.why is Why.RESERVED and span:
        heading = _("%(studio)s is busy %(start)s–%(end)s", studio=room.name, **_times(span))
        return Hindrance(
            heading,
            reference=blocker.reference,
            owner=blocker.owner,
            contact=blocker.contact,
            movable=blocker.movable,
        )
    if blocker.why is Why.CLOSED and span:
        reason = _(
            "From %(start)s to %(end)s: %(reason)s",
            start=f"{day_name(span.start)} {clock(span.start)}",
            end=f"{day_name(span.end)} {clock(span.end)}",
            reason=blocker.reason,
        )
        return Hindrance(_("%(studio)s is out of use", studio=room.name), "maint", reason)
    if blocker.why is Why.HOURS:
        sentence = obstacle_sentence(Obstacle(Kind.OUTSIDE_HOURS, studio=room.name))
        return Hindrance(sentence, "clock", _("Its owner has set hours in which it can be booked."))
    return Hindrance(blocker_sentence(blocker, room.name, start, False))


def _times(span: Span) -> dict[str, str]:
    return {"start": clock(span.start), "end": clock(span.end)}
