"""When the time is not free: wait for one, or ask the others to move."""

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from accounts.permissions import allow
from errors import Refused
from models import write
from studios.booking.api.reading import BOOKERS
from studios.booking.api.rights import conference_at, person
from studios.booking.desk.parties import Network
from studios.booking.desk.receiving import asked_of, draft_of, page_of
from studios.booking.forms import complain_of, waiting_window, zone
from studios.booking.obstacles import WishRefused
from studios.booking.pages import blueprint, refusal_text
from studios.booking.rooms import rooms
from studios.booking.waiting.requests import ask_to_wait
from studios.booking.waiting.swaps import ask_to_swap


@blueprint.post("/book/wait")
@allow(*BOOKERS)
def wait() -> ResponseReturnValue:
    """Wait for the time to come free: the chosen day and the six after it, within the hours of the form."""
    draft = draft_of(None, Network(rooms()))
    asked = asked_of(draft, None)
    if asked is None:
        return page_of(draft, status=422)
    window = waiting_window(draft.form, asked, zone())
    try:
        write(lambda: ask_to_wait(asked, window.start, window.end, person()).id)
    except WishRefused as error:
        complain_of(draft.form, error.problems)
        return page_of(draft, status=error.status)
    except Refused as error:
        return page_of(draft, refusal=refusal_text(error), status=error.status)
    flash(_("The request waits. As soon as all can, the time is held and you are written to."))
    return redirect(url_for("requests.page"), 303)


@blueprint.post("/book/swap/<reference>")
@allow(*BOOKERS)
def ask_to_move(reference: str) -> ResponseReturnValue:
    """Ask the owner of a movable conference that is in the way to move it, so that this can have its time."""
    draft = draft_of(None, Network(rooms()))
    asked, other = asked_of(draft, None), conference_at(reference)
    if asked is None:
        return page_of(draft, status=422)
    reason, number, seen = request.form.get(f"reason-{other.reference}", ""), other.id, other.version
    try:
        write(lambda: ask_to_swap(number, seen, asked, None, reason, person()).id)
    except WishRefused as error:
        return page_of(draft, refusal=refusal_text(error), status=error.status)
    except Refused as error:
        return page_of(draft, refusal=refusal_text(error), status=error.status)
    flash(_("They are asked. Nothing is held meanwhile; you are written to when they answer."))
    return redirect(url_for("requests.page"), 303)
