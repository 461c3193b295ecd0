"""What is put aside on the page of a request: drafts, and groups of parties."""

import json

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from accounts.permissions import allow
from errors import Invalid, Refused
from models import Account, db, write
from studios.booking.api.reading import BOOKERS
from studios.booking.api.rights import person
from studios.booking.desk.keeping import content_of
from studios.booking.desk.parties import Network, value_of
from studios.booking.desk.receiving import draft_of, page_of
from studios.booking.drafts import delete_draft, drafts_of, save_draft
from studios.booking.forms import complain
from studios.booking.groups import delete_group, groups_of, save_group
from studios.booking.pages import blueprint
from studios.booking.rooms import rooms


@blueprint.get("/drafts/")
@allow(*BOOKERS)
def drafts() -> ResponseReturnValue:
    """The requests that this person has put aside, and their groups."""
    return render_template("booking/drafts.html", drafts=drafts_of(person()), groups=groups_of(person()))


@blueprint.post("/drafts/")
@allow(*BOOKERS)
def keep() -> ResponseReturnValue:
    """Put the request aside, over the draft that it came from."""
    draft = draft_of(None, Network(rooms()))
    number = request.args.get("draft", type=int)
    content = content_of(draft)
    if content is None:
        return page_of(draft, status=422, draft_id=number)
    person_id = person().id
    try:
        kept = write(lambda: save_draft(content, db.session.get_one(Account, person_id), number).id)
    except Refused as error:
        return page_of(draft, refusal=error.message, status=error.status, draft_id=number)
    flash(_("The draft is saved. It holds no studio, and nobody is told of it."))
    return redirect(url_for(".book", draft=kept), 303)


@blueprint.post("/drafts/<int:number>/delete")
@allow(*BOOKERS)
def throw_away(number: int) -> ResponseReturnValue:
    person_id = person().id
    write(lambda: delete_draft(number, db.session.get_one(Account, person_id)))
    flash(_("The draft is deleted."))
    return redirect(url_for(".drafts"), 303)


@blueprint.post("/book/group")
@allow(*BOOKERS)
def keep_group() -> ResponseReturnValue:
    """Keep the parties of the form under a name; the page stays as it is."""
    draft, person_id = draft_of(None, Network(rooms())), person().id
    name, parties = request.form.get("group", ""), [json.loads(value_of(party)) for party in draft.parties]
    try:
        kept = write(lambda: save_group(name, parties, db.session.get_one(Account, person_id)).name)
        draft.told = _("The group %(name)s is saved. Find it by its name.", name=kept)
    except Invalid as error:
        complain(draft.form.find, error.message)
    return page_of(draft, draft_id=request.args.get("draft", type=int))


@blueprint.post("/groups/<int:number>/delete")
@allow(*BOOKERS)
def throw_group_away(number: int) -> ResponseReturnValue:
    person_id = person().id
    write(lambda: delete_group(number, db.session.get_one(Account, person_id)))
    flash(_("The group is deleted. Nothing that is booked changes."))
    return redirect(url_for(".drafts"), 303)
