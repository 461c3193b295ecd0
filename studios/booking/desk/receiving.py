"""The form of a request as it was sent: what stands on it, what it asks for, and the page that answers."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from accounts.permissions import access
from accounts.queries import organisations_for
from errors import Invalid
from models import Conference, Organisation
from studios.booking import queries
from studios.booking.api.reading import BOOKERS, organiser_called
from studios.booking.api.rights import person
from studios.booking.desk.keeping import parties_of
from studios.booking.desk.laying import lay_out
from studios.booking.desk.parties import Network, parties_in, places
from studios.booking.desk.presses import Draft
from studios.booking.desk.repeats import REPEATS, chosen_in
from studios.booking.forms import (
    QUICK_MINUTES,
    SO_OFTEN,
    BookingForm,
    complain,
    read_booking,
    read_changes_while_running,
    text_of,
    today,
)
from studios.booking.wishes import Booking
from studios.inventory.wording import FACES


def form_of(given: Any, typed: Mapping[str, Any] | None = None) -> BookingForm:
    """The form with what was `given`, else `typed`; without either what was sent."""
    form = BookingForm(given, data=typed) if typed is not None else BookingForm()
    form.repeat.choices = REPEATS
    if form.times.data is None:  # it is on the form only when something repeats
        form.times.data = SO_OFTEN
    return form


def draft_of(found: Conference | None, network: Network) -> Draft:
    """What was sent; the studios of a conference that is under way stand, whatever was sent."""
    fixed = found is not None and queries.is_under_way(found)
    parties = parties_of(found, network) if found and fixed else parties_in(request.form)
    return Draft(form_of(None), parties, network, request.form.getlist("opened"), chosen_in(request.form))


def asked_of(draft: Draft, found: Conference | None = None) -> Booking | None:
    """What is asked for, of the conference that was `found` where it is a change; None with sentences at the fields."""
    if found and queries.is_under_way(found):
        return read_changes_while_running(draft.form, found)
    rows = places(draft.parties, draft.network)
    for place in rows:
        if place.wish is None:
            complain(draft.form.find, _unknown(place.name[:40]))
    asked = read_booking(draft.form, [place.wish for place in rows], own_organisations(), found)
    if asked is None or not (email := text_of(draft.form.on_behalf)):
        return asked
    try:
        return replace(asked, organiser_id=organiser_called(email, asked.organisation_id))
    except Invalid as error:
        complain(draft.form.on_behalf, error.message)
        return None


def _unknown(name: str) -> str:
    return _("There is no studio with the code %(code)s. Remove it.", code=name)


def page_of(
    draft: Draft,
    found: Conference | None = None,
    refusal: str = "",
    outdated: bool = False,
    status: int = 200,
    draft_id: int | None = None,
) -> ResponseReturnValue:
    """The whole page, or for htmx its living part."""
    desk = lay_out(draft, person(), own_organisations(), found, refusal, outdated, draft_id)
    template = "booking/_booking.html" if request.headers.get("HX-Request") else "booking/book.html"
    page = render_template(
        template, desk=desk, faces=FACES, quick_minutes=QUICK_MINUTES, sent=status >= 400, today=today()
    )
    return page, status


def own_organisations() -> list[Organisation]:
    """Those that the person behind the request books for."""
    return organisations_for(access(), *BOOKERS)
