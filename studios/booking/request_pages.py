"""What waits for time to come free, and who is asked to move: on one page, with what can be answered now."""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import joinedload, selectinload

from accounts.permissions import access, allow
from errors import NotFound, Refused
from models import Conference, Party, RequestState, Reservation, Swap, WaitingRequest, db, write
from studios.booking.api.reading import BOOKERS
from studios.booking.api.rights import person
from studios.booking.api.swaps_told import swap_answers
from studios.booking.api.waiting_told import waiting_answers
from studios.booking.pages import refusal_text
from studios.booking.waiting import offers, swaps
from studios.booking.wording import Badge

MOST = 50
STATES = {
    RequestState.WAITING: Badge("idle", "clock", _l("Waiting")),
    RequestState.OFFERED: Badge("call", "cal", _l("A time is held for it")),
    RequestState.ACCEPTED: Badge("ok", "ok", _l("Accepted")),
    RequestState.DECLINED: Badge("unknown", "x", _l("Declined")),
    RequestState.WITHDRAWN: Badge("unknown", "x", _l("Withdrawn")),
    RequestState.EXPIRED: Badge("unknown", "clock", _l("Run out")),
}

blueprint = Blueprint("requests", __name__, url_prefix="/requests")


@blueprint.get("/")
@allow(*BOOKERS)
def page() -> ResponseReturnValue:
    return _page()


@blueprint.post("/waiting/<int:number>")
@allow(*BOOKERS)
def answer_offer(number: int) -> ResponseReturnValue:
    """Take the time that is held, leave it to the next, or wait no longer."""
    act = request.form.get("act", "")
    if act == "accept":
        return _accepted(number)
    works: dict[str, tuple[Callable[[], object], str]] = {
        "wait_on": (lambda: offers.decline_offer(number, person(), True), _("The time goes to the next. You wait on.")),
        "decline": (lambda: offers.decline_offer(number, person()), _("The time goes to the next in line.")),
        "withdraw": (lambda: offers.withdraw(number, person()), _("The request waits no longer.")),
    }
    return _done(*works[act]) if act in works else _unknown()


@blueprint.post("/swaps/<int:number>")
@allow(*BOOKERS)
def answer_swap(number: int) -> ResponseReturnValue:
    """Move for the other, or not and say why; or ask no longer."""
    act, reason = request.form.get("act", ""), request.form.get("reason", "")
    works: dict[str, tuple[Callable[[], object], str]] = {
        "accept": (lambda: swaps.accept_swap(number, person()), _("Both conferences are moved.")),
        "decline": (lambda: swaps.decline_swap(number, reason, person()), _("Your conference stays where it is.")),
        "withdraw": (lambda: swaps.withdraw_swap(number, person()), _("You ask for it no longer.")),
    }
    return _done(*works[act]) if act in works else _unknown()


def _accepted(number: int) -> ResponseReturnValue:
    try:
        reference = write(lambda: offers.accept_offer(number, person()).reference)
    except Refused as refused:
        return _page(refusal_text(refused)), refused.status
    flash(_("%(reference)s is booked. The calls start by themselves.", reference=reference))
    return redirect(url_for("booking.conference", reference=reference), 303)


def _done(work: Callable[[], object], done: str) -> ResponseReturnValue:
    try:
        write(lambda: (work(), None)[1])
    except Refused as refused:
        return _page(refusal_text(refused)), refused.status
    flash(done)
    return redirect(url_for(".page"), 303)


def _unknown() -> ResponseReturnValue:
    raise NotFound(_("There is no such answer."))


def _page(problem: str = "") -> str:
    """The open ones first, then the newest."""
    waiting = db.session.scalars(_newest(db.select(WaitingRequest), WaitingRequest).options(*_WAITING)).all()
    asked = db.session.scalars(_newest(db.select(Swap).join(Swap.conference), Swap).options(*_SWAP)).all()
    return render_template(
        "booking/requests.html",
        waiting=waiting_answers(waiting),
        swaps=swap_answers(asked),
        states=STATES,
        open_states=(RequestState.WAITING, RequestState.OFFERED),
        problem=problem,
    )


def _newest(query: sa.Select[Any], model: type[WaitingRequest] | type[Swap]) -> sa.Select[Any]:
    is_open = sa.case((model.state.in_((RequestState.WAITING, RequestState.OFFERED)), 0), else_=1)
    if not access().everywhere(*BOOKERS):
        own = access().organisation_ids(*BOOKERS)
        mine = model.organisation_id.in_(own)
        query = query.where(sa.or_(mine, Conference.organisation_id.in_(own)) if model is Swap else mine)
    return query.order_by(is_open, model.id.desc()).limit(MOST)


_WAITING = (
    joinedload(WaitingRequest.organisation),
    joinedload(WaitingRequest.conference),
    selectinload(WaitingRequest.holds),
)
_PARTIES = selectinload(Conference.parties).joinedload(Party.reservation).joinedload(Reservation.studio)
_SWAP = (
    joinedload(Swap.conference).options(joinedload(Conference.organisation), _PARTIES),
    joinedload(Swap.organisation),
)
