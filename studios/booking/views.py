"""The coordinator's pages: book, the list of conferences, one conference, change and cancel."""

from collections.abc import Callable

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from accounts.permissions import EVERY_ROLE, access, allow, polled
from accounts.queries import organisations_for
from errors import Conflict, Forbidden, NotFound
from models import Account, Conference, ConferenceState, Organisation, Role, write
from studios.booking import conferences as writes
from studios.booking import queries, times
from studios.booking.desk import chosen_studios, lay_out
from studios.booking.explaining import obstacle_sentence
from studios.booking.forms import (
    QUICK_MINUTES,
    BookingForm,
    as_typed,
    blank,
    codes_in,
    complain_of,
    now,
    read_booking,
    read_changes_while_running,
    today,
)
from studios.booking.listing import list_conferences
from studios.booking.obstacles import ChangedMeanwhile, Kind, WishRefused
from studios.booking.presses import Draft, count_minutes, press, search
from studios.booking.rules import Phase
from studios.booking.sight import look_at
from studios.booking.typed import date_text, read_date
from studios.booking.wishes import Booking
from studios.booking.wording import PURPOSES, state_badge
from studios.inventory.wording import FACES

BOOKERS = (Role.COORDINATOR, Role.ADMINISTRATOR)

blueprint = Blueprint("booking", __name__)
for _filter in (times.clock, times.clock_seconds, times.day_name, times.capital, times.length_of):
    blueprint.add_app_template_filter(_filter)


@blueprint.route("/book", methods=["GET", "POST"])
@allow(*BOOKERS)
def book() -> ResponseReturnValue:
    if request.method == "POST":
        return _save(_draft(None), None)
    form = BookingForm(request.args, data=blank())
    if day := read_date(form.date.data, today()):
        form.date.data = date_text(day)
    return _page(Draft(form, codes_in(request.args)))


@blueprint.route("/book/draft", methods=["GET", "POST"])
@allow(*BOOKERS)
def draft() -> ResponseReturnValue:
    """The page again, as every button but the last one leaves it. Nothing is saved."""
    if request.method == "GET":
        return redirect(url_for(".book"))
    return _redraw(None)


@blueprint.route("/conferences/<reference>/change", methods=["GET", "POST"])
@allow(*BOOKERS)
def change(reference: str) -> ResponseReturnValue:
    found = _own(reference)
    running = queries.is_under_way(found)
    if queries.phase_of(found) is Phase.OVER:
        return _refused(found, _("This conference is over and can no longer be changed."))
    if request.method == "POST":
        return _save(_draft(found), found)
    form = BookingForm(None, data=as_typed(found, by_end=running))
    return _page(Draft(form, _codes_of(found)), found)


@blueprint.route("/conferences/<reference>/change/draft", methods=["GET", "POST"])
@allow(*BOOKERS)
def change_draft(reference: str) -> ResponseReturnValue:
    if request.method == "GET":
        return redirect(url_for(".change", reference=reference))
    return _redraw(_own(reference))


@blueprint.route("/conferences/<reference>/cancel", methods=["GET", "POST"])
@allow(*BOOKERS)
def cancel(reference: str) -> ResponseReturnValue:
    """Ask before a conference is given up, or ended before its time; then do it."""
    found = _own(reference)
    running = queries.is_under_way(found)
    if request.method == "GET":
        if queries.phase_of(found) is Phase.OVER:
            return _refused(found, _("This conference is over; there is nothing left to cancel."))
        return render_template("booking/cancel.html", conference=found, running=running)
    conference_id, version = found.id, BookingForm().typed_version
    try:
        saved = write(lambda: writes.cancel(conference_id, version, _person()))
    except Conflict as error:
        return _refused(_conference(reference), error.message)
    flash(_given_up(saved, saved.state is not ConferenceState.CANCELLED))
    return redirect(url_for(".conference", reference=found.reference), 303)


@blueprint.get("/conferences/")
@allow(*EVERY_ROLE)
def conferences() -> ResponseReturnValue:
    """The conferences from a day on; a reference that leads somewhere leads there at once."""
    reference = request.args.get("reference", "").strip()
    if reference and (found := queries.conference_by_reference(reference)):
        return redirect(url_for(".conference", reference=found.reference))
    typed = request.args.get("from", "").strip()
    day = read_date(typed, today()) if typed else today()
    own = access().organisation_ids(*BOOKERS)
    listing = list_conferences(
        day or today(), request.args.get("whose", ""), own, request.args.get("page", 1, type=int)
    )
    return render_template(
        "booking/conferences.html",
        listing=listing,
        misread=typed if day is None else "",
        reference=reference,
        state_badge=state_badge,
        sees_title=queries.may_see_title,
        books=access().has(*BOOKERS),
    ), 422 if day is None else 404 if reference else 200


@blueprint.get("/conferences/<reference>")
@allow(*EVERY_ROLE)
def conference(reference: str) -> ResponseReturnValue:
    sight = look_at(_conference(reference), access(), now())
    return render_template("booking/conference.html", sight=sight, **_words())


@blueprint.get("/conferences/<reference>/live")
@allow(*EVERY_ROLE)
@polled
def live(reference: str) -> ResponseReturnValue:
    """What of the page lives, for a page that asks by itself; nothing when it has seen this already."""
    sight = look_at(_conference(reference), access(), now())
    if request.args.get("seen") == sight.mark:
        return Response(status=204)
    if not request.headers.get("HX-Request"):
        return redirect(url_for(".conference", reference=sight.conference.reference))
    return render_template("booking/_live.html", sight=sight, **_words())


def _draft(found: Conference | None) -> Draft:
    """What was sent; the studios of a conference that is under way stand, whatever was sent."""
    fixed = found is not None and queries.is_under_way(found)
    return Draft(BookingForm(), _codes_of(found) if found and fixed else codes_in(request.form))


def _redraw(found: Conference | None) -> ResponseReturnValue:
    """Carry out the button that was pressed, or take in the field that was changed."""
    draft = _draft(found)
    press(draft, request.form)
    # A duration that was just typed is meant; an end that still stands there would win otherwise.
    if request.headers.get("HX-Source") == "input#duration":
        draft.form.end.data = ""
    if found is None or not queries.is_under_way(found):  # once it runs there is no start on the form to count from
        count_minutes(draft.form)
    # Without a script Enter in the search field presses the first button of the form.
    entered = "update" in request.form and not request.headers.get("HX-Request")
    search(draft, take_only_hit="search" in request.form or entered)
    return _page(draft, found)


def _save(draft: Draft, found: Conference | None) -> ResponseReturnValue:
    """Book, or change what was found; back to the form as typed when that is refused."""
    asked = _asked(draft, found)
    if asked is None:
        return _page(draft, found, status=422)
    reference = found.reference if found else ""
    conference_id = found.id if found else 0
    save: Callable[[], Conference] = (
        (lambda: writes.change(conference_id, asked, draft.form.typed_version, _person()))
        if found
        else (lambda: writes.book(asked, _person()))
    )
    try:
        saved = write(save)
    except WishRefused as error:
        complain_of(draft.form, error.problems)
        return _page(draft, _reloaded(reference), status=error.status)
    except Conflict as error:
        outdated = isinstance(error, ChangedMeanwhile)
        return _page(draft, _reloaded(reference), _why(error), outdated, error.status)
    flash(_told(saved, bool(found)))
    return redirect(url_for(".conference", reference=saved.reference), 303)


def _why(error: Conflict) -> str:
    """The refusal, with what the page does not show by itself: clashes and closures stand beside their studios."""
    unshown = [each for each in getattr(error, "obstacles", []) if each.kind not in (Kind.TAKEN, Kind.CLOSED)]
    return " ".join([error.message, *map(obstacle_sentence, unshown)])


def _asked(draft: Draft, found: Conference | None) -> Booking | None:
    if found and queries.is_under_way(found):
        return read_changes_while_running(draft.form, found)
    ids = {code: studio.id for code, studio in chosen_studios(draft.codes).items()}
    return read_booking(draft.form, ids, draft.codes, _organisations(), found)


def _page(
    draft: Draft, found: Conference | None = None, refusal: str = "", outdated: bool = False, status: int = 200
) -> ResponseReturnValue:
    desk = lay_out(draft, _organisations(), found, refusal, outdated)
    template = "booking/_booking.html" if request.headers.get("HX-Request") else "booking/book.html"
    page = render_template(
        template, desk=desk, faces=FACES, quick_minutes=QUICK_MINUTES, sent=status >= 400, today=today()
    )
    return page, status


def _refused(found: Conference, message: str) -> ResponseReturnValue:
    """Why nothing was done, with the way to the conference as it is now."""
    return render_template("booking/refused.html", conference=found, message=message), Conflict.status


def _conference(reference: str) -> Conference:
    found = queries.conference_by_reference(reference)
    if found is None:
        raise NotFound(_("There is no conference with the reference %(reference)s.", reference=reference[:40]))
    return found


def _own(reference: str) -> Conference:
    """The conference, if the person behind this request may change it."""
    found = _conference(reference)
    if not queries.may_change(access(), found):
        raise Forbidden(_("Only coordinators of the organisation that owns this conference can change it."))
    return found


def _reloaded(reference: str) -> Conference | None:
    """The conference that was being changed, as it is after a refusal rolled the work back."""
    return _conference(reference) if reference else None


def _organisations() -> list[Organisation]:
    return organisations_for(access(), *BOOKERS)


def _person() -> Account:
    person = current_user._get_current_object()
    assert isinstance(person, Account)
    return person


def _codes_of(found: Conference) -> list[str]:
    """Of the studios that are reserved for it; who declined, or was given back, is not asked again by itself."""
    return [
        party.reservation.studio.code
        for party in found.parties
        if party.reservation and party.reservation.released_at is None
    ]


def _told(saved: Conference, changed: bool) -> str:
    if changed:
        return _("%(reference)s is changed.", reference=saved.reference)
    return _("%(reference)s is booked. The calls start by themselves.", reference=saved.reference)


def _given_up(found: Conference, was_running: bool) -> str:
    if not was_running:
        return _("%(reference)s is cancelled. The studios are free again.", reference=found.reference)
    if not found.video:
        return _("%(reference)s has ended. The studios are free again.", reference=found.reference)
    return _("%(reference)s is ending. The calls are taken down.", reference=found.reference)


def _words() -> dict[str, object]:
    return {"purposes": PURPOSES, "paused": "paused" in request.args}
