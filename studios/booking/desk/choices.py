"""The suggested times, each with its reason in a sentence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from flask_babel import gettext as _
from flask_babel import ngettext

from studios.booking.candidates import Candidate
from studios.booking.desk.outlook import Outlook
from studios.booking.desk.parties import Place
from studios.booking.explaining import remark_sentence
from studios.booking.finding.question import Remark, Suggestion
from studios.calendars.rules import Span

MINUTE = timedelta(minutes=1)
TROUBLES = {Remark.DOWN, Remark.DOWN_BUT_LATER, Remark.UNTESTED}


@dataclass(frozen=True)
class Choice:
    """A time that can be had. `value`: the start and the minutes, as the button sends them; `why` in a sentence;
    `tone`: the icon of the reason."""

    span: Span
    value: str
    why: str
    tone: str
    is_chosen: bool


def choices(outlook: Outlook, places: Sequence[Place], meeting: Span | None, is_wished: bool) -> list[Choice]:
    """`is_wished`: somebody has said when it shall be. Studios of pools are named where they are not those of the
    suggestion before."""
    before, found = tuple[int | None, ...](), []
    for each in outlook.suggestions:
        found.append(_choice(each, outlook, places, meeting, is_wished, before))
        before = each.rooms
    return found


def _choice(
    found: Suggestion,
    outlook: Outlook,
    places: Sequence[Place],
    meeting: Span | None,
    is_wished: bool,
    before: Sequence[int | None],
) -> Choice:
    span = Span(found.start, found.end)
    why = _compromises(found) or [_reason(is_wished and found.start == outlook.question.preferred)]
    troubles = [
        remark_sentence(remark, outlook.studios[found.rooms[party] or 0].name)
        for party, remark in found.remarks
        if remark in TROUBLES
    ]
    seats = _seats(found, places, outlook.studios, before)
    tone = "degraded" if troubles else "swap" if _compromises(found) else "ok"
    sentences = [*why, *([seats] if seats else []), *troubles[:2]]
    return Choice(
        span, f"{found.start.isoformat()}/{span.length // MINUTE}", " ".join(sentences), tone, span == meeting
    )


def _reason(is_as_wished: bool) -> str:
    return _("As wished, all are free.") if is_as_wished else _("All are free.")


def _compromises(found: Suggestion) -> list[str]:
    told = []
    if found.shortened:
        minutes = found.shortened // MINUTE
        told.append(ngettext("%(num)s minute shorter.", "%(num)s minutes shorter.", minutes))
    if found.shifted:
        minutes = abs(found.shifted) // MINUTE
        told.append(
            ngettext(
                "%(num)s minute outside the hours asked for.", "%(num)s minutes outside the hours asked for.", minutes
            )
        )
    return told


def _seats(
    found: Suggestion, places: Sequence[Place], known: Mapping[int, Candidate], before: Sequence[int | None]
) -> str:
    """Which studios the pools give, where these are others than before."""
    names = [
        known[room].name
        for room, place in zip(found.rooms, places, strict=True)
        if place.is_pool and room is not None and room not in before
    ]
    return _("With %(studios)s.", studios=", ".join(names)) if names else ""
