"""The list of conferences, and one conference: followed, cancelled, ended."""

from datetime import timedelta

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from accounts.permissions import EVERY_ROLE, access, allow, polled
from errors import Conflict
from models import Conference, ConferenceState, write
from studios.booking import conferences as writes
from studios.booking import queries
from studios.booking.api.reading import BOOKERS
from studios.booking.api.rights import conference_at, own_conference, person
from studios.booking.forms import now, today
from studios.booking.listing import list_conferences
from studios.booking.pages import blueprint, refused_page, seen_version
from studios.booking.rules import Phase
from studios.booking.sight import look_at
from studios.booking.typed import read_date
from studios.booking.wording import PURPOSES, state_badge

LONGEST_TEXT = 200


@blueprint.route("/conferences/<reference>/cancel", methods=["GET", "POST"])
@allow(*BOOKERS)
def cancel(reference: str) -> ResponseReturnValue:
    """Ask before a conference is given up, or ended before its time; then do it."""
    found = own_conference(reference)
    running = queries.is_under_way(found)
    if request.method == "GET":
        if queries.phase_of(found) is Phase.OVER:
            return refused_page(found, Conflict(_("This conference is over; there is nothing left to cancel.")))
        return render_template("booking/cancel.html", conference=found, running=running)
    conference_id, version = found.id, seen_version()
    try:
        saved = write(lambda: writes.cancel(conference_id, version, person()))
    except Conflict as error:
        return refused_page(conference_at(reference), error)
    flash(_given_up(saved, saved.state is not ConferenceState.CANCELLED))
    return redirect(url_for(".conference", reference=found.reference), 303)


@blueprint.get("/conferences/")
@allow(*EVERY_ROLE)
def conferences() -> ResponseReturnValue:
    """The conferences from a day on; a reference that leads somewhere leads there at once."""
    text = (request.args.get("q") or request.args.get("reference") or "").strip()[:LONGEST_TEXT]
    if text and (found := queries.conference_by_reference(text)):
        return redirect(url_for(".conference", reference=found.reference))
    typed = request.args.get("from", "").strip()
    day = read_date(typed, today()) if typed else today()
    own = access().organisation_ids(*BOOKERS)
    page = request.args.get("page", 1, type=int)
    listing = list_conferences(day or today(), request.args.get("whose", ""), own, page, text, person().id)
    return render_template(
        "booking/conferences.html",
        listing=listing,
        misread=typed if day is None else "",
        state_badge=state_badge,
        sees_title=queries.may_see_title,
        books=access().has(*BOOKERS),
    ), 422 if day is None else 200


@blueprint.get("/conferences/<reference>")
@allow(*EVERY_ROLE)
def conference(reference: str) -> ResponseReturnValue:
    sight = look_at(conference_at(reference), access(), now(), person().id)
    return render_template("booking/conference.html", sight=sight, **_words())


@blueprint.get("/conferences/<reference>/live")
@allow(*EVERY_ROLE)
@polled
def live(reference: str) -> ResponseReturnValue:
    """What of the page lives, for a page that asks by itself; nothing when it has seen this already."""
    sight = look_at(conference_at(reference), access(), now(), person().id)
    if request.args.get("seen") == sight.mark:
        return Response(status=204)
    if not request.headers.get("HX-Request"):
        return redirect(url_for(".conference", reference=sight.conference.reference))
    return render_template("booking/_live.html", sight=sight, **_words())


def _given_up(found: Conference, was_running: bool) -> str:
    if not was_running:
        return _("%(reference)s is cancelled. The studios are free again.", reference=found.reference)
    if not found.video:
        return _("%(reference)s has ended. The studios are free again.", reference=found.reference)
    return _("%(reference)s is ending. The calls are taken down.", reference=found.reference)


def _words() -> dict[str, object]:
    return {
        "purposes": PURPOSES,
        "paused": "paused" in request.args,
        "books": access().has(*BOOKERS),
        "now": now,
        "timedelta": timedelta,
    }
