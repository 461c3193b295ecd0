"""The page of a request: /book, and the change of a conference."""

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from accounts.permissions import access, allow
from errors import Conflict, Forbidden
from models import Conference
from studios.booking import queries
from studios.booking.api.reading import BOOKERS
from studios.booking.api.rights import conference_at, own_conference, person
from studios.booking.desk.keeping import copied, parties_of, typed_from
from studios.booking.desk.parties import Network, parties_in
from studios.booking.desk.presses import Draft, count_minutes, press, search
from studios.booking.desk.receiving import draft_of, form_of, own_organisations, page_of
from studios.booking.desk.saving import save
from studios.booking.drafts import own_draft
from studios.booking.drawing import own_of
from studios.booking.forms import as_typed, blank, today
from studios.booking.pages import blueprint, refused_page
from studios.booking.rooms import rooms
from studios.booking.rules import Phase
from studios.booking.typed import date_text, read_date


@blueprint.route("/book", methods=["GET", "POST"])
@allow(*BOOKERS)
def book() -> ResponseReturnValue:
    """An empty request; one that was put aside (`draft`), or another conference's for a new time (`copy`)."""
    network = Network(rooms())
    if request.method == "POST":
        return save(draft_of(None, network), None)
    typed, parties = blank(), parties_in(request.args)
    if number := request.args.get("draft", type=int):
        typed, parties = typed_from(own_draft(number, person()).content)
    elif reference := request.args.get("copy", ""):
        typed, parties = copied(_to_copy(reference), network, own_organisations())
    form = form_of(request.args, typed)
    if day := read_date(form.date.data, today()):
        form.date.data = date_text(day)
    if "start" in request.args or "date" in request.args:
        form.wished.data = ""
    draft = Draft(form, parties, network)
    search(draft, person(), own_of(person()), take_only_hit=False)
    return page_of(draft, draft_id=number)


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
    found = own_conference(reference)
    running = queries.is_under_way(found)
    if queries.phase_of(found) is Phase.OVER:
        return refused_page(found, Conflict(_("This conference is over and can no longer be changed.")))
    network = Network(rooms())
    if request.method == "POST":
        return save(draft_of(found, network), found)
    return page_of(Draft(form_of(None, as_typed(found, by_end=running)), parties_of(found, network), network), found)


@blueprint.route("/conferences/<reference>/change/draft", methods=["GET", "POST"])
@allow(*BOOKERS)
def change_draft(reference: str) -> ResponseReturnValue:
    if request.method == "GET":
        return redirect(url_for(".change", reference=reference))
    return _redraw(own_conference(reference))


def _redraw(found: Conference | None) -> ResponseReturnValue:
    """Carry out the button that was pressed, or take in the field that was changed."""
    draft = draft_of(found, Network(rooms()))
    press(draft, request.form)
    # A duration that was just typed is meant; an end that still stands there would win otherwise.
    if request.headers.get("HX-Source") == "input#duration":
        draft.form.end.data = ""
    if found is None or not queries.is_under_way(found):  # once it runs there is no start on the form to count from
        count_minutes(draft.form)
    # Without a script Enter in the search field presses the first button of the form.
    entered = "update" in request.form and not request.headers.get("HX-Request")
    search(draft, person(), own_of(person()), take_only_hit="search" in request.form or entered)
    return page_of(draft, found, draft_id=request.args.get("draft", type=int))


def _to_copy(reference: str) -> Conference:
    """A conference that this person may see whole."""
    found = conference_at(reference)
    if not queries.may_see_title(access(), found):
        raise Forbidden(_("Only those around its table can book this conference again."))
    return found
