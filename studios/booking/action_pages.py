"""What is done with a booked conference beside changing it: undo, take back, extend, give a studio back, answer."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from accounts.permissions import EVERY_ROLE, access, allow
from errors import Conflict, Forbidden, NotFound
from models import Answer, Conference, Party, write
from studios.booking import answers, joining, running
from studios.booking import conferences as writes
from studios.booking.api.reading import BOOKERS
from studios.booking.api.rights import conference_at, own_conference, person
from studios.booking.drawing import own_of
from studios.booking.forms import problem_sentence
from studios.booking.obstacles import WishRefused
from studios.booking.pages import refusal_text, refused_page, seen_version
from studios.booking.proposals import found_by, replacements
from studios.booking.rules import Problem, is_guest_address
from studios.booking.undoing import undo as take_back
from studios.booking.wishes import GuestWish, StudioWish

SO_MUCH_LONGER = (15, 30)  # minutes
MOST_PROPOSED = 8

blueprint = Blueprint("actions", __name__, url_prefix="/conferences/<reference>")


@blueprint.post("/undo")
@allow(*BOOKERS)
def undo(reference: str) -> ResponseReturnValue:
    found = own_conference(reference)
    number, seen = found.id, seen_version()
    return _done(found, lambda: take_back(number, seen, person()), _("Undone. Nobody was written to."))


@blueprint.post("/restore")
@allow(*BOOKERS)
def restore(reference: str) -> ResponseReturnValue:
    """Plan a cancelled conference again, while its studios are still free."""
    found = own_conference(reference)
    number, seen = found.id, seen_version()
    told = _("%(reference)s is planned again, in the same studios.", reference=found.reference)
    return _done(found, lambda: writes.take_back_cancellation(number, seen, person()), told)


@blueprint.post("/extend")
@allow(*BOOKERS)
def extend(reference: str) -> ResponseReturnValue:
    found = own_conference(reference)
    number, seen = found.id, seen_version()
    minutes = request.form.get("minutes", type=int)
    if minutes not in SO_MUCH_LONGER:
        raise NotFound(_("It can be extended by 15 or 30 minutes."))
    told = _("%(reference)s lasts %(minutes)s minutes longer.", reference=found.reference, minutes=minutes)
    return _done(found, lambda: running.extend(number, minutes, seen, person()), told)


@blueprint.route("/release/<int:position>", methods=["GET", "POST"])
@allow(*BOOKERS)
def release(reference: str, position: int) -> ResponseReturnValue:
    """Give one studio back before the end; asks first."""
    found = own_conference(reference)
    party = answers.party_at(found, position)
    if request.method == "GET":
        return render_template("booking/release.html", conference=found, party=party)
    number, seen = found.id, seen_version()
    name = party.reservation.studio.name if party.reservation else ""
    told = _("%(studio)s is given back. The others go on.", studio=name)
    return _done(found, lambda: running.release_studio(number, position, seen, person()), told)


@blueprint.post("/call/<int:position>")
@allow(*BOOKERS)
def call(reference: str, position: int) -> ResponseReturnValue:
    """Have one party called again now."""
    found = own_conference(reference)
    number = found.id
    return _done(found, lambda: running.call_again(number, position, person()), _("The party is called now."))


@blueprint.post("/hang-up/<int:position>")
@allow(*BOOKERS)
def hang_up(reference: str, position: int) -> ResponseReturnValue:
    """Take one party out of the call; it can be called again, so nobody is asked first."""
    found = own_conference(reference)
    number, told = found.id, _("The party is taken out of the call. “Call now” brings it back.")
    return _done(found, lambda: running.hang_up(number, position, person()), told)


@blueprint.route("/reroute", methods=["GET", "POST"])
@allow(*BOOKERS)
def reroute(reference: str) -> ResponseReturnValue:
    """Leave a bridge that fails; asks first, for all calls end for a moment."""
    found = own_conference(reference)
    if request.method == "GET":
        return render_template("booking/reroute.html", conference=found)
    number, seen, told = found.id, seen_version(), _("All are called another way now.")
    return _done(found, lambda: running.reroute(number, seen, person()), told)


@blueprint.route("/join", methods=["GET", "POST"])
@allow(*BOOKERS)
def join(reference: str) -> ResponseReturnValue:
    """One more party for a conference that is under way: a studio that is searched for, or a guest."""
    found = own_conference(reference)
    if request.method == "GET":
        return _join_page(found)
    wish = _wished(request.form)
    if wish is None:
        return _join_page(found, problem_sentence(Problem.GUEST_ADDRESS)), 422
    number, seen = found.id, seen_version()
    return _done(found, lambda: joining.join(number, wish, seen, person()), _("The party is called now."))


@blueprint.route("/replace/<int:position>", methods=["GET", "POST"])
@allow(*BOOKERS)
def replace(reference: str, position: int) -> ResponseReturnValue:
    """Another studio for a party whose own fails."""
    found = own_conference(reference)
    party = answers.party_at(found, position)
    if request.method == "GET":
        proposed = replacements(found, party, own_of(person()), datetime.now(UTC), MOST_PROPOSED)
        return render_template("booking/replace.html", conference=found, party=party, replacements=proposed)
    number, seen, studio_id = found.id, seen_version(), request.form.get("studio", 0, type=int)
    told = _("The studio is replaced. Those concerned are told.")
    return _done(found, lambda: joining.replace_studio(number, position, studio_id, seen, person()), told)


@blueprint.route("/answer/<int:position>", methods=["GET", "POST"])
@allow(*EVERY_ROLE)
def answer(reference: str, position: int) -> ResponseReturnValue:
    """The invited organisation takes part, or does not and says why."""
    found = conference_at(reference)
    party = answers.party_at(found, position)
    if not may_answer(party):
        raise Forbidden(_("Only coordinators of the invited organisation can answer for it."))
    if request.method == "GET":
        return _answer_page(found, party)
    number, seen, word = found.id, seen_version(), request.form.get("word", "")
    reason = request.form.get("reason", "")
    if word == Answer.ACCEPTED:
        told = _("Your organisation takes part in %(reference)s.", reference=found.reference)
        return _done(found, lambda: answers.accept(number, position, person(), seen), told)
    try:
        write(lambda: answers.decline(number, position, reason, person(), seen))
    except WishRefused as refused:
        problem = refusal_text(refused)
        return _answer_page(conference_at(reference), party, problem, reason), 422
    except Conflict as refused:
        return refused_page(conference_at(reference), refused)
    flash(_("Your organisation does not take part. The studio is free again, and the organiser is told why."))
    return redirect(url_for("booking.conference", reference=found.reference), 303)


def may_answer(party: Party) -> bool:
    """Whether the person behind this request speaks for the party's organisation, and it was asked."""
    asked = party.organisation_id is not None and party.answer is not Answer.NOT_ASKED
    return asked and access().covers(party.organisation_id or 0, *BOOKERS)


def _done(found: Conference, work: Callable[[], Conference], told: str) -> ResponseReturnValue:
    """Do it, and say so on the conference's page; or say there why it was not done."""
    reference = found.reference
    try:
        write(work)
    except (Conflict, WishRefused) as refused:
        return refused_page(conference_at(reference), refused)
    flash(told)
    return redirect(url_for("booking.conference", reference=reference), 303)


def _answer_page(found: Conference, party: Party, problem: str = "", reason: str = "") -> str:
    return render_template("booking/answer.html", conference=found, party=party, problem=problem, reason=reason)


def _wished(form: Any) -> StudioWish | GuestWish | None:
    if studio_id := form.get("studio", type=int):
        return StudioWish(studio_id)
    address = form.get("guest", "").strip()
    return GuestWish(address) if is_guest_address(address) else None


def _join_page(found: Conference, problem: str = "") -> str:
    text = request.values.get("q", "")
    hits = found_by(text, found, own_of(person()), datetime.now(UTC), MOST_PROPOSED) if text.strip() else None
    guest = request.form.get("guest", "")
    return render_template("booking/join.html", conference=found, text=text, hits=hits, guest=guest, problem=problem)
