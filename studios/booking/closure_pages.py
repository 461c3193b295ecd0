"""The pages /closures: a studio or a site out of use, and other studios for all that it hits in one reviewed step."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from accounts.permissions import EVERY_ROLE, access, allow
from errors import Conflict, Invalid, NotFound
from models import Closure, Conference, Site, Studio, db, write
from studios.booking import closures, queries
from studios.booking.api.rights import CLOSERS, check_closer, may_close, person
from studios.booking.forms import now, today, zone
from studios.booking.obstacles import WishRefused
from studios.booking.pages import refusal_text
from studios.booking.relocation import Chosen, move_all, proposed_moves
from studios.booking.rules import LONGEST_REASON, TimeDoesNotExist, TimeIsAmbiguous, instant
from studios.booking.typed import read_date, read_time
from studios.inventory.queries import studio_by_code

blueprint = Blueprint("closure_pages", __name__, url_prefix="/closures")

END_OF_WORK, LATE = time(16), time(14)
OVER_SHOWN = timedelta(days=7)
MOST_LISTED = 200
MOST_MOVED = 200


@dataclass(frozen=True)
class Typed:
    """The form, as typed."""

    start_day: str
    start_time: str
    end_day: str
    end_time: str
    reason: str

    @staticmethod
    def usual() -> "Typed":
        """From now to the end of the working day; late in the day, to the next one's."""
        wall = now().astimezone(zone())
        ends = wall.date() if wall.time() < LATE else wall.date() + timedelta(days=1)
        return Typed(wall.date().isoformat(), f"{wall:%H:%M}", ends.isoformat(), END_OF_WORK.isoformat("minutes"), "")

    @staticmethod
    def sent() -> "Typed":
        names = ("start_day", "start_time", "end_day", "end_time", "reason")
        return Typed(*(request.form.get(name, "")[:1000] for name in names))

    def instants(self) -> tuple[datetime, datetime]:
        """Raises Invalid."""
        return _instant(self.start_day, self.start_time, "start"), _instant(self.end_day, self.end_time, "end")


@blueprint.get("")
@allow(*EVERY_ROLE)
def listed() -> ResponseReturnValue:
    """What is out of use, or will be; and what was lately."""
    query = closures.with_places().where(Closure.ends_at > now() - OVER_SHOWN)
    found = db.session.scalars(query.order_by(Closure.starts_at, Closure.id).limit(MOST_LISTED)).all()
    coming = [each for each in found if each.ends_at > now()]
    return render_template(
        "booking/closures.html", coming=coming, over=[each for each in found if each.ends_at <= now()], now=now()
    )


@blueprint.route("/new", methods=["GET", "POST"])
@allow(*CLOSERS)
def new() -> ResponseReturnValue:
    """Take a studio or a site out of use, at once, whatever is booked there."""
    place = _place()
    check_closer(place.site if isinstance(place, Studio) else place)
    if request.method == "GET":
        return _form(place, Typed.usual())
    typed = Typed.sent()
    try:
        start, end = typed.instants()
        number = write(lambda: closures.close(place, start, end, typed.reason, person())[0].id)
    except (Invalid, WishRefused) as refused:
        return _form(_place(), typed, refusal_text(refused)), 422
    flash(_("It is out of use. Nothing new is booked there in that time."))
    return redirect(url_for(".one", number=number), 303)


@blueprint.get("/<int:number>")
@allow(*EVERY_ROLE)
def one(number: int) -> ResponseReturnValue:
    """A closure, with what it hits and the studios that could take those conferences."""
    found = closures.closure_at(number)
    may = may_close(closures.site_of(found))
    return render_template(
        "booking/closure.html",
        closure=found,
        site=closures.site_of(found),
        moves=proposed_moves(found) if may else [],
        threats=closures.threatened_by(found),
        may=may,
        now=now(),
        sees_title=lambda conference: queries.may_see_title(access(), conference),
    )


@blueprint.post("/<int:number>/moves")
@allow(*CLOSERS)
def move(number: int) -> ResponseReturnValue:
    """What was ticked, in one step; each conference by itself."""
    found = closures.closure_at(number)
    check_closer(closures.site_of(found))
    hit = {(each.conference.id, each.party.position) for each in proposed_moves(found)}
    chosen = [one for one in map(_chosen, request.form.getlist("move")[:MOST_MOVED]) if one]
    wanted = [one for one in chosen if (one.conference_id, one.position) in hit]
    outcomes = move_all(wanted)
    moved = sum(not each.refused for each in outcomes)
    flash(ngettext("%(num)s conference has another studio now.", "%(num)s conferences have another studio now.", moved))
    for each in outcomes:
        if each.refused:
            reference = Conference.reference_of(each.chosen.conference_id)
            flash(_("%(reference)s was not moved: %(reason)s", reference=reference, reason=each.refused))
    if len(wanted) < len(chosen):
        flash(_("Some were moved or cancelled meanwhile."))
    return redirect(url_for(".one", number=number), 303)


@blueprint.post("/<int:number>/reopen")
@allow(*CLOSERS)
def reopen(number: int) -> ResponseReturnValue:
    """Back in use from now on."""
    found = closures.closure_at(number)
    check_closer(closures.site_of(found))
    code = found.studio.code if found.studio else ""
    try:
        write(lambda: closures.reopen(number, person()))
    except Conflict as refused:
        flash(refused.message)
        return redirect(url_for(".one", number=number), 303)
    flash(_("It is back in use."))
    return redirect(url_for("inventory.studio", code=code) if code else url_for(".listed"), 303)


def _chosen(text: str) -> Chosen | None:
    """conference-version-position-studio, as the page wrote it."""
    parts = text.split("-")
    if len(parts) != 4 or not all(part.isascii() and part.isdigit() and len(part) < 12 for part in parts):
        return None
    return Chosen(*map(int, parts))


def _form(place: Studio | Site, typed: Typed, refusal: str = "") -> str:
    return render_template(
        "booking/close.html",
        place=place,
        site=place.site if isinstance(place, Studio) else place,
        studio=place if isinstance(place, Studio) else None,
        typed=typed,
        refusal=refusal,
        longest=LONGEST_REASON,
        today=today(),
    )


def _place() -> Studio | Site:
    """Raises NotFound."""
    if code := request.args.get("studio", ""):
        studio = studio_by_code(code)
        if studio is None or studio.retired_at is not None:
            raise NotFound(_("There is no studio with the code %(code)s.", code=code[:40]))
        return studio
    site = db.session.get(Site, request.args.get("site", 0, type=int))
    if site is None:
        raise NotFound(_("There is no such site."))
    return site


def _instant(day: str, wall: str, field: str) -> datetime:
    on, at = read_date(day, today()), read_time(wall)
    if on is None or at is None:
        raise Invalid(_("Write the day as in 26.11.2026 and the time as in 09:30."), field)
    try:
        return instant(on, at, zone())
    except TimeIsAmbiguous:
        return instant(on, at, zone(), summer=field == "start")  # the longer of the two
    except TimeDoesNotExist:
        return instant(on, at.replace(hour=at.hour + 1), zone())
