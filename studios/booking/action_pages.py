"""What is done with a booked conference beside changing it: undo, take back, extend, give a studio back, answer."""

from collections.abc import Callable

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from accounts.permissions import EVERY_ROLE, access, allow
from errors import Conflict, Forbidden, NotFound, Refused
from models import Account, Answer, Conference, Party, Role, write
from studios.booking import answers, queries, running
from studios.booking import conferences as writes
from studios.booking.explaining import obstacle_sentence
from studios.booking.forms import problem_sentence
from studios.booking.obstacles import WishRefused
from studios.booking.undoing import undo as take_back

BOOKERS = (Role.COORDINATOR, Role.ADMINISTRATOR)
SO_MUCH_LONGER = (15, 30)  # minutes

blueprint = Blueprint("actions", __name__, url_prefix="/conferences/<reference>")


@blueprint.post("/undo")
@allow(*BOOKERS)
def undo(reference: str) -> ResponseReturnValue:
    found = _own(reference)
    number, seen = found.id, version()
    return _done(found, lambda: take_back(number, seen, person()), _("Undone. Nobody was written to."))


@blueprint.post("/restore")
@allow(*BOOKERS)
def restore(reference: str) -> ResponseReturnValue:
    """Plan a cancelled conference again, while its studios are still free."""
    found = _own(reference)
    number, seen = found.id, version()
    told = _("%(reference)s is planned again, in the same studios.", reference=found.reference)
    return _done(found, lambda: writes.take_back_cancellation(number, seen, person()), told)


@blueprint.post("/extend")
@allow(*BOOKERS)
def extend(reference: str) -> ResponseReturnValue:
    found = _own(reference)
    number, seen = found.id, version()
    minutes = request.form.get("minutes", type=int)
    if minutes not in SO_MUCH_LONGER:
        raise NotFound(_("It can be extended by 15 or 30 minutes."))
    told = _("%(reference)s lasts %(minutes)s minutes longer.", reference=found.reference, minutes=minutes)
    return _done(found, lambda: running.extend(number, minutes, seen, person()), told)


@blueprint.route("/release/<int:position>", methods=["GET", "POST"])
@allow(*BOOKERS)
def release(reference: str, position: int) -> ResponseReturnValue:
    """Give one studio back before the end; asks first."""
    found = _own(reference)
    party = answers.party_at(found, position)
    if request.method == "GET":
        return render_template("booking/release.html", conference=found, party=party)
    number, seen = found.id, version()
    name = party.reservation.studio.name if party.reservation else ""
    told = _("%(studio)s is given back. The others go on.", studio=name)
    return _done(found, lambda: running.release_studio(number, position, seen, person()), told)


@blueprint.route("/answer/<int:position>", methods=["GET", "POST"])
@allow(*EVERY_ROLE)
def answer(reference: str, position: int) -> ResponseReturnValue:
    """The invited organisation takes part, or does not and says why."""
    found = _conference(reference)
    party = answers.party_at(found, position)
    if not may_answer(party):
        raise Forbidden(_("Only coordinators of the invited organisation can answer for it."))
    if request.method == "GET":
        return _answer_page(found, party)
    number, seen, word = found.id, version(), request.form.get("word", "")
    reason = request.form.get("reason", "")
    if word == Answer.ACCEPTED:
        told = _("Your organisation takes part in %(reference)s.", reference=found.reference)
        return _done(found, lambda: answers.accept(number, position, person(), seen), told)
    try:
        write(lambda: answers.decline(number, position, reason, person(), seen))
    except WishRefused as refused:
        problem = " ".join(problem_sentence(each) for each in refused.problems)
        return _answer_page(_conference(reference), party, problem, reason), 422
    except Conflict as refused:
        return _refused(_conference(reference), refused)
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
        return _refused(_conference(reference), refused)
    flash(told)
    return redirect(url_for("booking.conference", reference=reference), 303)


def _refused(found: Conference, error: Refused) -> ResponseReturnValue:
    told = [error.message] if not isinstance(error, WishRefused) else map(problem_sentence, error.problems)
    more = map(obstacle_sentence, getattr(error, "obstacles", ()))
    page = render_template("booking/refused.html", conference=found, message=" ".join([*told, *more]))
    return page, error.status


def _answer_page(found: Conference, party: Party, problem: str = "", reason: str = "") -> str:
    return render_template("booking/answer.html", conference=found, party=party, problem=problem, reason=reason)


def _conference(reference: str) -> Conference:
    found = queries.conference_by_reference(reference)
    if found is None:
        raise NotFound(_("There is no conference with the reference %(reference)s.", reference=reference[:40]))
    return found


def _own(reference: str) -> Conference:
    found = _conference(reference)
    if not queries.may_change(access(), found):
        raise Forbidden(_("Only coordinators of the organisation that owns this conference can change it."))
    return found


def version() -> int:
    """The version that the person saw, as the form says; -1, which no conference has, when it says none."""
    text = request.form.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1


def person() -> Account:
    """Who is behind the request."""
    found = current_user._get_current_object()
    assert isinstance(found, Account)
    return found
