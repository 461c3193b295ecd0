"""Calling studios now: a conference that begins at once and needs no calendar. What is chosen stands in the address."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from accounts.permissions import allow
from errors import Conflict
from models import Organisation, Purpose, write
from studios.booking import conferences as writes
from studios.booking.api.reading import BOOKERS
from studios.booking.api.rights import person
from studios.booking.desk.receiving import own_organisations
from studios.booking.drawing import own_of
from studios.booking.obstacles import WishRefused
from studios.booking.pages import blueprint, refusal_text
from studios.booking.proposals import found_now
from studios.booking.rooms import rooms
from studios.booking.rules import MOST_PARTIES
from studios.booking.wishes import Booking, GuestWish, PartyWish, StudioWish
from studios.booking.wording import PURPOSES
from studios.calendars.rules import Span

MINUTES = (15, 30, 45, 60, 90)
USUAL_MINUTES = 30
MOST_PROPOSED = 8
LONGEST_TEXT = 200


@dataclass(frozen=True)
class Call:
    """Who is to be called, as chosen so far. `organisation_id` 0: the first studio's for which the person books."""

    studios: tuple[int, ...]
    guest: str
    title: str
    purpose: Purpose
    minutes: int
    organisation_id: int

    @staticmethod
    def read(form: "MultiDict[str, str]", organisations: Sequence[int]) -> "Call":
        """What is missing or makes no sense has its usual value."""
        chosen = dict.fromkeys(form.getlist("studio", type=int)[:MOST_PARTIES])
        minutes = form.get("minutes", USUAL_MINUTES, type=int)
        own = form.get("organisation", 0, type=int)
        purpose = form.get("purpose", "")
        return Call(
            studios=tuple(chosen),
            guest=form.get("guest", "").strip()[:LONGEST_TEXT],
            title=form.get("title", "")[:LONGEST_TEXT],
            purpose=Purpose(purpose) if purpose in list(Purpose) else Purpose.ADMINISTRATION,
            minutes=minutes if minutes in MINUTES else USUAL_MINUTES,
            organisation_id=own if own in organisations else 0,
        )

    def address(self, text: str = "") -> str:
        """Where the page stands with this chosen."""
        return url_for(
            "booking.call_now",
            studio=list(self.studios),
            guest=self.guest or None,
            title=self.title or None,
            purpose=self.purpose,
            minutes=self.minutes,
            organisation=self.organisation_id or None,
            q=text or None,
        )

    def with_studio(self, studio_id: int) -> str:
        return replace(self, studios=(*self.studios, studio_id)).address()

    def without_studio(self, studio_id: int) -> str:
        return replace(self, studios=tuple(one for one in self.studios if one != studio_id)).address()

    def meeting(self, now: datetime) -> Span:
        """From the minute that has begun."""
        start = now.replace(second=0, microsecond=0)
        return Span(start, start + timedelta(minutes=self.minutes))

    def booking(self, now: datetime, organisation_id: int) -> Booking:
        parties: list[PartyWish] = [StudioWish(studio_id) for studio_id in self.studios]
        if self.guest:
            parties.append(GuestWish(self.guest))
        meeting = self.meeting(now)
        title = self.title.strip() or _("Call without appointment")
        return Booking(title, self.purpose, organisation_id, meeting.start, meeting.end, tuple(parties))


@blueprint.route("/call", methods=["GET", "POST"])
@allow(*BOOKERS)
def call_now() -> ResponseReturnValue:
    """Choose studios and call them: at a press, by the same rules as any booking."""
    organisations = own_organisations()
    call = Call.read(request.values, [one.id for one in organisations])
    if request.method == "GET":
        return _page(call, organisations)
    booking = call.booking(datetime.now(UTC), call.organisation_id or _organisation_of(call, organisations))
    try:
        saved = write(lambda: writes.book(booking, person()))
    except (WishRefused, Conflict) as refused:
        return _page(call, organisations, refusal_text(refused)), refused.status
    flash(_("The studios are called now. How each of them answers is shown here."))
    return redirect(url_for(".conference", reference=saved.reference), 303)


def _organisation_of(call: Call, organisations: Sequence[Organisation]) -> int:
    own, known = [one.id for one in organisations], rooms()
    theirs = [known[studio_id].organisation_id for studio_id in call.studios if studio_id in known]
    return next((one for one in theirs if one in own), own[0] if own else 0)


def _page(call: Call, organisations: Sequence[Organisation], refusal: str = "") -> str:
    text, now = request.values.get("q", "").strip()[:LONGEST_TEXT], datetime.now(UTC)
    chosen, hits = found_now(text, call.studios, call.meeting(now), own_of(person()), MOST_PROPOSED)
    return render_template(
        "booking/call_now.html",
        call=call,
        chosen=chosen,
        text=text,
        hits=hits,
        refusal=refusal,
        organisations=organisations,
        purposes=PURPOSES,
        minutes=MINUTES,
    )
