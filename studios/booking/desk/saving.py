"""Booking or changing what the form asks for; back to the form as typed when that is refused."""

from collections.abc import Callable

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from errors import Conflict, Refused
from models import Conference, write
from studios.booking import conferences as writes
from studios.booking.api.rights import conference_at, person
from studios.booking.desk.parties import places
from studios.booking.desk.presses import Draft
from studios.booking.desk.receiving import asked_of, page_of
from studios.booking.desk.repeats import repeats_of
from studios.booking.desk.seen import seen_seats
from studios.booking.drafts import delete_draft
from studios.booking.drawing import own_of
from studios.booking.explaining import obstacle_sentence
from studios.booking.forms import complain_of, has_errors, zone
from studios.booking.obstacles import ChangedMeanwhile, Kind, WishRefused
from studios.booking.pages import seen_version
from studios.booking.seating import Drawn
from studios.booking.series.saving import book_series
from studios.booking.wishes import Booking


def save(draft: Draft, found: Conference | None) -> ResponseReturnValue:
    """Book, or change what was found; back to the form as typed when that is refused."""
    asked = asked_of(draft, found)
    number = request.args.get("draft", type=int)
    if asked is None:
        return page_of(draft, found, status=422, draft_id=number)
    if found is None and draft.form.repeat.data:
        return _save_series(draft, asked, number)
    reference = found.reference if found else ""
    seats = seen_seats(asked, request.form.getlist("seat"), draft.network, own_of(person()))
    try:
        saved = write(_saving(asked, draft, found.id if found else 0, seats, number))
    except WishRefused as error:
        complain_of(draft.form, error.problems)
        return page_of(draft, _reloaded(reference), status=error.status, draft_id=number)
    except Conflict as error:
        outdated = isinstance(error, ChangedMeanwhile)
        return page_of(draft, _reloaded(reference), _why(error), outdated, error.status, number)
    flash(_told(saved, bool(found)))
    return redirect(url_for(".conference", reference=saved.reference), 303)


def _saving(
    asked: Booking, draft: Draft, conference_id: int, seats: Drawn | None, number: int | None
) -> Callable[[], Conference]:
    """The transaction: with a conference's key a change, else a booking; a draft that it came from is gone then."""
    if conference_id:
        return lambda: writes.change(conference_id, asked, seen_version(), person(), seats)

    def book() -> Conference:
        booked = writes.book(asked, person(), seats)
        if number:
            delete_draft(number, person())
        return booked

    return book


def _save_series(draft: Draft, asked: Booking, number: int | None) -> ResponseReturnValue:
    """Every meeting that is not skipped, or none."""
    rows = places(draft.parties, draft.network)
    repeats = repeats_of(draft.form, asked, rows, draft.chosen, person(), zone(), settles=False)
    if repeats is None or has_errors(draft.form):
        return page_of(draft, status=422, draft_id=number)
    try:
        saved = write(lambda: book_series(repeats.request, person(), repeats.seen))
    except Conflict as error:
        return page_of(draft, refusal=error.message, status=error.status, draft_id=number)
    booked = ngettext("%(num)s conference is booked", "%(num)s conferences are booked", len(saved.conferences))
    skipped = ngettext("%(num)s is skipped", "%(num)s are skipped", saved.skipped) if saved.skipped else ""
    flash(", ".join(part for part in (booked, skipped) if part) + ".")
    return redirect(url_for(".conference", reference=saved.conferences[0].reference), 303)


def _why(error: Refused) -> str:
    """The refusal, with what the page does not show by itself: clashes and closures stand beside their studios."""
    unshown = [each for each in getattr(error, "obstacles", []) if each.kind not in (Kind.TAKEN, Kind.CLOSED)]
    return " ".join([error.message, *map(obstacle_sentence, unshown)])


def _reloaded(reference: str) -> Conference | None:
    """The conference that was being changed, as it is after a refusal rolled the work back."""
    return conference_at(reference) if reference else None


def _told(saved: Conference, changed: bool) -> str:
    if changed:
        return _("%(reference)s is changed.", reference=saved.reference)
    return _("%(reference)s is booked. The calls start by themselves.", reference=saved.reference)
