"""The coordinator's pages: book, the list of conferences, one conference, change and cancel."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user

from accounts.permissions import EVERY_ROLE, access, allow, polled
from accounts.queries import organisations_for
from errors import Conflict, Forbidden, Invalid, NotFound, Refused
from models import Account, Conference, ConferenceState, Organisation, Role, db, write
from studios.booking import conferences as writes
from studios.booking import queries, times
from studios.booking.api.reading import organiser_called
from studios.booking.desk.keeping import content_of, copied, parties_of, typed_from
from studios.booking.desk.laying import lay_out
from studios.booking.desk.parties import Network, parties_in, places, value_of
from studios.booking.desk.presses import Draft, count_minutes, press, search
from studios.booking.desk.repeats import REPEATS, chosen_in, repeats_of
from studios.booking.desk.seen import seen_seats
from studios.booking.drafts import delete_draft, drafts_of, own_draft, save_draft
from studios.booking.drawing import own_of
from studios.booking.explaining import obstacle_sentence
from studios.booking.forms import (
    QUICK_MINUTES,
    SO_OFTEN,
    BookingForm,
    as_typed,
    blank,
    complain,
    complain_of,
    has_errors,
    now,
    problem_sentence,
    read_booking,
    read_changes_while_running,
    text_of,
    today,
    waiting_window,
    zone,
)
from studios.booking.groups import delete_group, groups_of, save_group
from studios.booking.listing import list_conferences
from studios.booking.obstacles import ChangedMeanwhile, Kind, WishRefused
from studios.booking.rooms import rooms
from studios.booking.rules import Phase
from studios.booking.seating import Drawn
from studios.booking.series.saving import book_series
from studios.booking.sight import look_at
from studios.booking.typed import date_text, read_date
from studios.booking.waiting.requests import ask_to_wait
from studios.booking.waiting.swaps import ask_to_swap
from studios.booking.wishes import Booking
from studios.booking.wording import PURPOSES, state_badge
from studios.inventory.wording import FACES

BOOKERS = (Role.COORDINATOR, Role.ADMINISTRATOR)
LONGEST_TEXT = 200

blueprint = Blueprint("booking", __name__)
for _filter in (times.clock, times.clock_seconds, times.day_name, times.capital, times.length_of):
    blueprint.add_app_template_filter(_filter)


@blueprint.route("/book", methods=["GET", "POST"])
@allow(*BOOKERS)
def book() -> ResponseReturnValue:
    """An empty request; one that was put aside (`draft`), or another conference's for a new time (`copy`)."""
    network = Network(rooms())
    if request.method == "POST":
        return _save(_draft(None, network), None)
    typed, parties = blank(), parties_in(request.args)
    if number := request.args.get("draft", type=int):
        typed, parties = typed_from(own_draft(number, _person()).content)
    elif reference := request.args.get("copy", ""):
        typed, parties = copied(_to_copy(reference), network, _organisations())
    form = _form(request.args, typed)
    if day := read_date(form.date.data, today()):
        form.date.data = date_text(day)
    if "start" in request.args or "date" in request.args:
        form.wished.data = ""
    draft = Draft(form, parties, network)
    search(draft, _person(), own_of(_person()), take_only_hit=False)
    return _page(draft, draft_id=number)


@blueprint.route("/book/draft", methods=["GET", "POST"])
@allow(*BOOKERS)
def draft() -> ResponseReturnValue:
    """The page again, as every button but the last one leaves it. Nothing is saved."""
    if request.method == "GET":
        return redirect(url_for(".book"))
    return _redraw(None)


@blueprint.post("/book/wait")
@allow(*BOOKERS)
def wait() -> ResponseReturnValue:
    """Wait for the time to come free: the chosen day and the six after it, within the hours of the form."""
    draft = _draft(None, Network(rooms()))
    asked = _asked(draft, None)
    if asked is None:
        return _page(draft, status=422)
    window = waiting_window(draft.form, asked, zone())
    try:
        write(lambda: ask_to_wait(asked, window.start, window.end, _person()).id)
    except WishRefused as error:
        complain_of(draft.form, error.problems)
        return _page(draft, status=error.status)
    except Refused as error:
        return _page(draft, refusal=_why(error), status=error.status)
    flash(_("The request waits. As soon as all can, the time is held and you are written to."))
    return redirect(url_for("requests.page"), 303)


@blueprint.post("/book/swap/<reference>")
@allow(*BOOKERS)
def ask_to_move(reference: str) -> ResponseReturnValue:
    """Ask the owner of a movable conference that is in the way to move it, so that this can have its time."""
    draft = _draft(None, Network(rooms()))
    asked, other = _asked(draft, None), _conference(reference)
    if asked is None:
        return _page(draft, status=422)
    reason, number, seen = request.form.get(f"reason-{other.reference}", ""), other.id, other.version
    try:
        write(lambda: ask_to_swap(number, seen, asked, None, reason, _person()).id)
    except WishRefused as error:
        return _page(draft, refusal=" ".join(map(problem_sentence, error.problems)), status=error.status)
    except Refused as error:
        return _page(draft, refusal=_why(error), status=error.status)
    flash(_("They are asked. Nothing is held meanwhile; you are written to when they answer."))
    return redirect(url_for("requests.page"), 303)


@blueprint.post("/book/group")
@allow(*BOOKERS)
def keep_group() -> ResponseReturnValue:
    """Keep the parties of the form under a name; the page stays as it is."""
    draft, person_id = _draft(None, Network(rooms())), _person().id
    name, parties = request.form.get("group", ""), [json.loads(value_of(party)) for party in draft.parties]
    try:
        kept = write(lambda: save_group(name, parties, db.session.get_one(Account, person_id)).name)
        draft.told = _("The group %(name)s is saved. Find it by its name.", name=kept)
    except Invalid as error:
        complain(draft.form.find, error.message)
    return _page(draft, draft_id=request.args.get("draft", type=int))


@blueprint.post("/groups/<int:number>/delete")
@allow(*BOOKERS)
def throw_group_away(number: int) -> ResponseReturnValue:
    person_id = _person().id
    write(lambda: delete_group(number, db.session.get_one(Account, person_id)))
    flash(_("The group is deleted. Nothing that is booked changes."))
    return redirect(url_for(".drafts"), 303)


@blueprint.get("/drafts/")
@allow(*BOOKERS)
def drafts() -> ResponseReturnValue:
    """The requests that this person has put aside, and their groups."""
    return render_template("booking/drafts.html", drafts=drafts_of(_person()), groups=groups_of(_person()))


@blueprint.post("/drafts/")
@allow(*BOOKERS)
def keep() -> ResponseReturnValue:
    """Put the request aside, over the draft that it came from."""
    draft = _draft(None, Network(rooms()))
    number = request.args.get("draft", type=int)
    content = content_of(draft)
    if content is None:
        return _page(draft, status=422, draft_id=number)
    person_id = _person().id
    try:
        kept = write(lambda: save_draft(content, db.session.get_one(Account, person_id), number).id)
    except Refused as error:
        return _page(draft, refusal=error.message, status=error.status, draft_id=number)
    flash(_("The draft is saved. It holds no studio, and nobody is told of it."))
    return redirect(url_for(".book", draft=kept), 303)


@blueprint.post("/drafts/<int:number>/delete")
@allow(*BOOKERS)
def throw_away(number: int) -> ResponseReturnValue:
    person_id = _person().id
    write(lambda: delete_draft(number, db.session.get_one(Account, person_id)))
    flash(_("The draft is deleted."))
    return redirect(url_for(".drafts"), 303)


@blueprint.route("/conferences/<reference>/change", methods=["GET", "POST"])
@allow(*BOOKERS)
def change(reference: str) -> ResponseReturnValue:
    found = _own(reference)
    running = queries.is_under_way(found)
    if queries.phase_of(found) is Phase.OVER:
        return _refused(found, _("This conference is over and can no longer be changed."))
    network = Network(rooms())
    if request.method == "POST":
        return _save(_draft(found, network), found)
    return _page(Draft(_form(None, as_typed(found, by_end=running)), parties_of(found, network), network), found)


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
    text = (request.args.get("q") or request.args.get("reference") or "").strip()[:LONGEST_TEXT]
    if text and (found := queries.conference_by_reference(text)):
        return redirect(url_for(".conference", reference=found.reference))
    typed = request.args.get("from", "").strip()
    day = read_date(typed, today()) if typed else today()
    own = access().organisation_ids(*BOOKERS)
    page = request.args.get("page", 1, type=int)
    listing = list_conferences(day or today(), request.args.get("whose", ""), own, page, text, _person().id)
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
    sight = look_at(_conference(reference), access(), now(), _person().id)
    return render_template("booking/conference.html", sight=sight, **_words())


@blueprint.get("/conferences/<reference>/live")
@allow(*EVERY_ROLE)
@polled
def live(reference: str) -> ResponseReturnValue:
    """What of the page lives, for a page that asks by itself; nothing when it has seen this already."""
    sight = look_at(_conference(reference), access(), now(), _person().id)
    if request.args.get("seen") == sight.mark:
        return Response(status=204)
    if not request.headers.get("HX-Request"):
        return redirect(url_for(".conference", reference=sight.conference.reference))
    return render_template("booking/_live.html", sight=sight, **_words())


def _form(given: Any, typed: Mapping[str, Any] | None = None) -> BookingForm:
    form = BookingForm(given, data=typed) if typed is not None else BookingForm()
    form.repeat.choices = REPEATS
    if form.times.data is None:  # it is on the form only when something repeats
        form.times.data = SO_OFTEN
    return form


def _draft(found: Conference | None, network: Network) -> Draft:
    """What was sent; the studios of a conference that is under way stand, whatever was sent."""
    fixed = found is not None and queries.is_under_way(found)
    parties = parties_of(found, network) if found and fixed else parties_in(request.form)
    return Draft(_form(None), parties, network, request.form.getlist("opened"), chosen_in(request.form))


def _redraw(found: Conference | None) -> ResponseReturnValue:
    """Carry out the button that was pressed, or take in the field that was changed."""
    draft = _draft(found, Network(rooms()))
    press(draft, request.form)
    # A duration that was just typed is meant; an end that still stands there would win otherwise.
    if request.headers.get("HX-Source") == "input#duration":
        draft.form.end.data = ""
    if found is None or not queries.is_under_way(found):  # once it runs there is no start on the form to count from
        count_minutes(draft.form)
    # Without a script Enter in the search field presses the first button of the form.
    entered = "update" in request.form and not request.headers.get("HX-Request")
    search(draft, _person(), own_of(_person()), take_only_hit="search" in request.form or entered)
    return _page(draft, found, draft_id=request.args.get("draft", type=int))


def _save(draft: Draft, found: Conference | None) -> ResponseReturnValue:
    """Book, or change what was found; back to the form as typed when that is refused."""
    asked = _asked(draft, found)
    number = request.args.get("draft", type=int)
    if asked is None:
        return _page(draft, found, status=422, draft_id=number)
    if found is None and draft.form.repeat.data:
        return _save_series(draft, asked, number)
    reference = found.reference if found else ""
    seats = seen_seats(asked, request.form.getlist("seat"), draft.network, own_of(_person()))
    try:
        saved = write(_saving(asked, draft, found.id if found else 0, seats, number))
    except WishRefused as error:
        complain_of(draft.form, error.problems)
        return _page(draft, _reloaded(reference), status=error.status, draft_id=number)
    except Conflict as error:
        outdated = isinstance(error, ChangedMeanwhile)
        return _page(draft, _reloaded(reference), _why(error), outdated, error.status, number)
    flash(_told(saved, bool(found)))
    return redirect(url_for(".conference", reference=saved.reference), 303)


def _saving(
    asked: Booking, draft: Draft, conference_id: int, seats: Drawn | None, number: int | None
) -> Callable[[], Conference]:
    """The transaction: with a conference's key a change, else a booking; a draft that it came from is gone then."""
    if conference_id:
        return lambda: writes.change(conference_id, asked, draft.form.typed_version, _person(), seats)

    def book() -> Conference:
        booked = writes.book(asked, _person(), seats)
        if number:
            delete_draft(number, _person())
        return booked

    return book


def _save_series(draft: Draft, asked: Booking, number: int | None) -> ResponseReturnValue:
    """Every meeting that is not skipped, or none."""
    rows = places(draft.parties, draft.network)
    repeats = repeats_of(draft.form, asked, rows, draft.chosen, _person(), zone(), settles=False)
    if repeats is None or has_errors(draft.form):
        return _page(draft, status=422, draft_id=number)
    try:
        saved = write(lambda: book_series(repeats.request, _person(), repeats.seen))
    except Conflict as error:
        return _page(draft, refusal=error.message, status=error.status, draft_id=number)
    booked = ngettext("%(num)s conference is booked", "%(num)s conferences are booked", len(saved.conferences))
    skipped = ngettext("%(num)s is skipped", "%(num)s are skipped", saved.skipped) if saved.skipped else ""
    flash(", ".join(part for part in (booked, skipped) if part) + ".")
    return redirect(url_for(".conference", reference=saved.conferences[0].reference), 303)


def _why(error: Refused) -> str:
    """The refusal, with what the page does not show by itself: clashes and closures stand beside their studios."""
    unshown = [each for each in getattr(error, "obstacles", []) if each.kind not in (Kind.TAKEN, Kind.CLOSED)]
    return " ".join([error.message, *map(obstacle_sentence, unshown)])


def _asked(draft: Draft, found: Conference | None) -> Booking | None:
    if found and queries.is_under_way(found):
        return read_changes_while_running(draft.form, found)
    rows = places(draft.parties, draft.network)
    for place in rows:
        if place.wish is None:
            complain(draft.form.find, _unknown(place.name[:40]))
    asked = read_booking(draft.form, [place.wish for place in rows], _organisations(), found)
    if asked is None or not (email := text_of(draft.form.on_behalf)):
        return asked
    try:
        return replace(asked, organiser_id=organiser_called(email, asked.organisation_id))
    except Invalid as error:
        complain(draft.form.on_behalf, error.message)
        return None


def _unknown(name: str) -> str:
    return _("There is no studio with the code %(code)s. Remove it.", code=name)


def _page(
    draft: Draft,
    found: Conference | None = None,
    refusal: str = "",
    outdated: bool = False,
    status: int = 200,
    draft_id: int | None = None,
) -> ResponseReturnValue:
    desk = lay_out(draft, _person(), _organisations(), found, refusal, outdated, draft_id)
    template = "booking/_booking.html" if request.headers.get("HX-Request") else "booking/book.html"
    page = render_template(
        template, desk=desk, faces=FACES, quick_minutes=QUICK_MINUTES, sent=status >= 400, today=today()
    )
    return page, status


def _to_copy(reference: str) -> Conference:
    """A conference that this person may see whole."""
    found = _conference(reference)
    if not queries.may_see_title(access(), found):
        raise Forbidden(_("Only those around its table can book this conference again."))
    return found


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
    return {
        "purposes": PURPOSES,
        "paused": "paused" in request.args,
        "books": access().has(*BOOKERS),
        "now": now,
        "timedelta": timedelta,
    }
