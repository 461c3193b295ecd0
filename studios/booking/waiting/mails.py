"""The mails of the waiting list, of swaps and of emergencies, each in its reader's language; asked for in the caller's
`write`. No title of another organisation's conference stands in them."""

from collections.abc import Sequence
from datetime import UTC, datetime

from flask_babel import gettext as _

from accounts.queries import coordinators_of
from models import Account, Conference, RequestState, Swap, WaitingRequest
from studios.booking.letters import link, moment, organisers_of, send, time_span


def offered(request: WaitingRequest, studios: Sequence[str]) -> None:
    """A time has come free, and is held."""

    def text() -> tuple[str, list[str]]:
        when = time_span(request.offered_start, request.offered_end)
        return _("A time is held for you: %(when)s", when=when), [
            _about(request),
            _("A time has come free and is held for you: %(when)s.", when=when),
            _("Studios: %(studios)s.", studios=", ".join(studios)),
            _("Accept it before %(time)s. After that it is offered to the next in line.", time=_until(request)),
            _("Ports of the conference bridge are not held; the answer says so if there are none left."),
            *link(request.conference),
        ]

    send(f"offer/{request.id}/{_stamp(request.offer_expires_at)}", _askers(request), text)


def lapsed(request: WaitingRequest) -> None:
    """An offer was not answered in time; the request waits on or is closed."""

    def text() -> tuple[str, list[str]]:
        what = _("The request stays on the waiting list.")
        if request.state is RequestState.EXPIRED:
            what = _("The request is no longer on the waiting list.")
        return _("The time that was held for you was not accepted"), [
            _about(request),
            _("It was held: %(when)s.", when=time_span(request.offered_start, request.offered_end)),
            what,
            *link(request.conference),
        ]

    send(f"lapsed/{request.id}/{_stamp(request.offer_expires_at)}", _askers(request), text)


def nothing_came(request: WaitingRequest) -> None:
    """The window has passed."""

    def text() -> tuple[str, list[str]]:
        lines = [_about(request), _("The request is no longer on the waiting list.")]
        return _("No time has come free"), [*lines, *link(request.conference)]

    send(f"nothing/{request.id}", _askers(request), text)


def swap_asked(swap: Swap) -> None:
    """To the coordinators of the conference that is asked to move."""

    def text() -> tuple[str, list[str]]:
        reference = swap.conference.reference
        return _("%(owner)s asks you to move %(reference)s", owner=swap.organisation.name, reference=reference), [
            _("%(owner)s needs the time of %(reference)s.", owner=swap.organisation.name, reference=reference),
            _("Reason: %(reason)s", reason=swap.reason),
            _("Now: %(when)s.", when=time_span(swap.conference.starts_at, swap.conference.ends_at)),
            _("Proposed: %(when)s.", when=time_span(swap.proposed_start, swap.proposed_end)),
            _("Nothing changes unless you accept before %(time)s.", time=moment(swap.expires_at)),
            *link(swap.conference),
        ]

    send(f"swap/{swap.id}/asked", _answerers(swap.conference), text)


def swap_answered(swap: Swap) -> None:
    """To who asked."""

    def text() -> tuple[str, list[str]]:
        reference = swap.conference.reference
        if swap.state is RequestState.ACCEPTED:
            told = _("%(reference)s was moved and you have the time.", reference=reference)
        elif swap.state is RequestState.DECLINED:
            told = _("%(reference)s will not be moved.", reference=reference)
        else:
            told = _("Nobody answered in time whether %(reference)s can be moved.", reference=reference)
        reason = [_("Reason: %(reason)s", reason=swap.answer_reason)] if swap.answer_reason else []
        return _("Your request to move %(reference)s", reference=reference), [
            told,
            *reason,
            *link(swap.conference),
        ]

    asker = [swap.asked_by] if swap.asked_by else coordinators_of(swap.organisation_id)
    send(f"swap/{swap.id}/{swap.state}", asker, text)


def displaced(
    conference: Conference, acute: Conference, reason: str, request: WaitingRequest, studios: Sequence[str]
) -> None:
    """To the organiser of a conference that had to give way, and to who booked it for them, with why and what is held
    for it instead."""

    def text() -> tuple[str, list[str]]:
        reference, owner = conference.reference, acute.organisation.name
        lines = [
            _("An emergency of %(owner)s (%(acute)s) has taken its time.", owner=owner, acute=acute.reference),
            _("Reason: %(reason)s", reason=reason),
            _("It was to be held %(when)s.", when=time_span(conference.starts_at, conference.ends_at)),
        ]
        return _("%(reference)s had to give way to an emergency", reference=reference), [
            *lines,
            *_instead(request, studios),
            *link(request.conference),
        ]

    send(f"displaced/{conference.id}/{acute.id}", organisers_of(conference), text)


def _instead(request: WaitingRequest, studios: Sequence[str]) -> list[str]:
    if request.state is not RequestState.OFFERED:
        return [_("No other time was free. It is on the waiting list.")]
    when = time_span(request.offered_start, request.offered_end)
    return [
        _("Another time is held for it: %(when)s.", when=when),
        _("Studios: %(studios)s.", studios=", ".join(studios)),
        _("Accept it before %(time)s. After that it is offered to the next in line.", time=_until(request)),
    ]


def _askers(request: WaitingRequest) -> Sequence[Account]:
    """Who asked; when nobody did, or they may no longer sign in, the coordinators of the organisation."""
    if request.account and request.account.disabled_at is None:
        return [request.account]
    return coordinators_of(request.organisation_id)


def _answerers(conference: Conference) -> Sequence[Account]:
    """Who can move the conference: its organisation's coordinators, and its organiser among them or not."""
    organiser = [conference.organiser] if conference.organiser else []
    return list(
        {account.id: account for account in [*organiser, *coordinators_of(conference.organisation_id)]}.values()
    )


def _about(request: WaitingRequest) -> str:
    if request.conference:
        return _("About %(reference)s:", reference=request.conference.reference)
    return _("About your request “%(title)s”:", title=request.booking["title"])


def _until(request: WaitingRequest) -> str:
    return moment(request.offer_expires_at) if request.offer_expires_at else ""


def _stamp(instant: datetime | None) -> str:
    """Which offer it is: no two of a request end at the same instant."""
    return instant.astimezone(UTC).strftime("%Y%m%dT%H%M%S%f") if instant else "none"
