"""Requests that are put aside, and conferences to be booked again, as the form shows them."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from flask_babel import gettext as _
from pydantic import ValidationError

from models import Conference, Organisation
from studios.booking.api.asked import DraftRequest, PartyRequest
from studios.booking.conferences import booking_of
from studios.booking.desk.parties import Network, request_of
from studios.booking.desk.presses import Draft
from studios.booking.forms import ANY_TIME, as_minutes, as_typed, blank, complain, is_on_form, now, read_meeting, zone
from studios.booking.typed import date_text, time_text
from studios.calendars.rules import Span

WEEK = timedelta(days=7)


def content_of(draft: Draft) -> dict[str, Any] | None:
    """The request as programs would put it aside; None, with a sentence at the title, where it cannot be."""
    form = draft.form
    meeting = read_meeting(form) if form.wished.data != ANY_TIME else None
    given = {
        "title": (form.title.data or "").strip() or None,
        "purpose": form.purpose.data or None,
        "start": meeting.start.isoformat() if meeting else None,
        "end": meeting.end.isoformat() if meeting else None,
        "parties": [party.model_dump(mode="json", exclude_defaults=True, warnings=False) for party in draft.parties],
        "organisation": (form.organisation.data or "").strip() or None,
        "movable": bool(form.movable.data),
        "video": not form.marked.data,
    }
    try:
        asked = _read({name: value for name, value in given.items() if value is not None})
    except ValidationError:
        complain(form.title, _("This cannot be put aside. Is the title at most 80 characters long?"))
        return None
    return asked.as_content()


def typed_from(content: Mapping[str, Any]) -> tuple[dict[str, Any], list[PartyRequest]]:
    """What stood on the form when the draft was kept, or what a program kept."""
    asked = _read(content)
    typed: dict[str, Any] = {**blank(), "title": asked.title or "", "organisation": asked.organisation or ""}
    typed |= {"purpose": asked.purpose or typed["purpose"], "movable": asked.movable, "marked": not asked.video}
    if asked.start:
        typed |= _time(asked.start, asked.end)
    return typed, list(asked.parties)


def copied(
    conference: Conference, network: Network, organisations: Sequence[Organisation]
) -> tuple[dict[str, Any], list[PartyRequest]]:
    """The same request for the same hour of the first week in which that lies ahead; for whoever may book it."""
    booking = booking_of(conference)
    start = conference.starts_at.astimezone(zone())
    while start <= now():
        start += WEEK  # on the wall clock: the same hour, whatever the clocks do between
    typed: dict[str, Any] = {**as_typed(conference), "version": "", "wished": ""}
    typed |= _time(start, start + (booking.end - booking.start))
    if conference.organisation not in organisations:
        typed["organisation"] = ""
    return typed, parties_of(conference, network)


def parties_of(conference: Conference, network: Network) -> list[PartyRequest]:
    """Who sits there, as it was asked for; not who declined, and not what was given back."""
    wishes = zip(conference.parties, booking_of(conference).parties, strict=True)
    shown = [wish for party, wish in wishes if is_on_form(party) or conference.state == "cancelled"]
    return [request_of(wish, network.rooms) for wish in shown]


def _time(start: datetime, end: datetime | None) -> dict[str, Any]:
    wall = start.astimezone(zone())
    times = {"date": date_text(wall.date()), "start": time_text(wall.time()), "end": "", "wished": ""}
    return times | ({"duration": as_minutes(Span(start, end))} if end else {})


def _read(content: Mapping[str, Any]) -> DraftRequest:
    """Raises ValidationError. By way of JSON, since that is what the model is read from elsewhere."""
    return DraftRequest.model_validate_json(json.dumps(content))
