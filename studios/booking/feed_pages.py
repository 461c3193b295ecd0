"""Calendar files and feeds: one conference as a file, a person's feeds, and what a calendar program reads."""

from collections.abc import Callable
from datetime import UTC, datetime

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from accounts.permissions import EVERY_ROLE, access, allow, public, with_secret_address
from accounts.queries import organisations_for
from config import settings
from errors import NotFound, Refused
from models import Account, Feed, Organisation, Role, Studio, db, write
from studios.booking import queries
from studios.booking.calendars import entry_of
from studios.booking.entries import calendar
from studios.booking.feeds import (
    READ_AT_MOST_EVERY,
    create_feed,
    feed_by_secret,
    feeds_of,
    mark_read,
    name_of,
    read_feed,
    revoke_feed,
)
from studios.inventory.queries import studio_by_code

CALENDAR = "text/calendar; charset=utf-8"

blueprint = Blueprint("feeds", __name__)


@blueprint.get("/conferences/<reference>.ics")
@allow(*EVERY_ROLE)
def conference(reference: str) -> ResponseReturnValue:
    """The conference as a calendar file; without its title where that is not for this person's eyes."""
    found = queries.conference_by_reference(reference)
    if found is None:
        raise NotFound(_("There is no conference with the reference %(reference)s.", reference=reference[:40]))
    content = calendar([entry_of(found, queries.may_see_title(access(), found))], datetime.now(UTC))
    answer = Response(content, content_type=CALENDAR)
    answer.headers["Content-Disposition"] = f'attachment; filename="{found.reference}.ics"'
    return answer


@blueprint.get("/feeds/<secret>.ics")
@public
@with_secret_address
def feed(secret: str) -> ResponseReturnValue:
    """What a calendar program reads; it signs in with the secret in the address."""
    now = datetime.now(UTC)
    found = feed_by_secret(secret)
    reading = read_feed(found, now) if found else None
    if found is None or reading is None:
        raise NotFound(_("There is no such calendar."))
    if found.last_read_at is None or now - found.last_read_at > READ_AT_MOST_EVERY:
        number = found.id
        write(lambda: mark_read(number, now))
    answer = Response(reading.content, content_type=CALENDAR)
    answer.set_etag(reading.mark)
    answer.headers["Cache-Control"] = "private, max-age=300"
    return answer.make_conditional(request)


@blueprint.get("/account/feeds")
@allow(*EVERY_ROLE)
def own() -> ResponseReturnValue:
    return _page()


@blueprint.post("/account/feeds")
@allow(*EVERY_ROLE)
def create() -> ResponseReturnValue:
    """The answer to the form itself shows the address, since it is kept nowhere that a redirect could fetch it from."""
    of, typed = request.form.get("of", "me"), request.form.get("studio", "").strip()
    studio = studio_by_code(typed) if of == "studio" else None
    if of == "studio" and studio is None:
        return _page(problem=_("There is no studio with the code %(code)s.", code=typed[:40]), of=of, typed=typed), 422
    organisation_id = request.form.get("organisation", type=int) if of == "organisation" else None
    studio_id, person_id = studio.id if studio else None, current_user.id
    try:
        secret = write(_making(person_id, studio_id, organisation_id))
    except Refused as refused:
        return _page(problem=refused.message, of=of, typed=typed), refused.status
    base = settings().public_url or request.host_url.rstrip("/")
    return _page(address=base + url_for(".feed", secret=secret))


@blueprint.post("/account/feeds/<int:number>/revoke")
@allow(*EVERY_ROLE)
def revoke(number: int) -> ResponseReturnValue:
    write(lambda: revoke_feed(_own(number)))
    flash(_("The feed is revoked: programs that read it get nothing more."))
    return redirect(url_for(".own"), 303)


def _making(person_id: int, studio_id: int | None, organisation_id: int | None) -> Callable[[], str]:
    return lambda: create_feed(
        db.session.get_one(Account, person_id),
        db.session.get(Studio, studio_id) if studio_id else None,
        db.session.get(Organisation, organisation_id) if organisation_id else None,
    )


def _own(number: int) -> Feed:
    found = next((each for each in feeds_of(current_user) if each.id == number), None)
    if found is None:
        raise NotFound(_("You have no feed with this number."))
    return found


def _page(address: str = "", problem: str = "", of: str = "me", typed: str = "") -> str:
    return render_template(
        "booking/feeds.html",
        feeds=[(each, name_of(each)) for each in feeds_of(current_user)],
        organisations=organisations_for(access(), *Role),
        address=address,
        problem=problem,
        of=of,
        typed=typed,
    )
