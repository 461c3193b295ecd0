"""The mails about an owner's approval and the words of those who were invited. No title stands in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import groupby

from flask_babel import gettext as _

from accounts.queries import coordinators_of
from models import Conference, Party
from studios.booking.attendance import is_without_parties
from studios.booking.letters import link, moment, organisers_of, send, time_span


@dataclass(frozen=True)
class Request:
    """A studio that a conference asks its owner for, until the request expires."""

    reservation_id: int
    conference: Conference
    studio: str
    owner_id: int
    expires_at: datetime


def approval_asked(requests: Sequence[Request]) -> None:
    """To the coordinators of each owner, of all that is asked of it at once."""
    for owner_id, group in groupby(sorted(requests, key=_by_owner), lambda request: request.owner_id):
        asked = list(group)
        send(f"approval/{asked[0].reservation_id}/asked", coordinators_of(owner_id), partial(_asked, asked))


def not_taking_part(party: Party) -> None:
    """To the organiser: somebody declines, or nobody approved in time."""
    conference = party.conference
    studio = party.reservation.studio.name if party.reservation else _("A studio")

    def text() -> tuple[str, list[str]]:
        if party.answered_by_id:
            subject = _("%(studio)s does not take part in %(reference)s", studio=studio, reference=conference.reference)
        else:
            subject = _(
                "Nobody approved the use of %(studio)s for %(reference)s in time",
                studio=studio,
                reference=conference.reference,
            )
        lines = [f"{subject}.", _("Time: %(when)s.", when=time_span(conference.starts_at, conference.ends_at))]
        if party.answer_reason:
            lines.append(_("Reason: %(reason)s", reason=party.answer_reason))
        if is_without_parties(conference, datetime.now(UTC)):
            lines.append(_("Nobody is left to meet, so the conference cannot take place. Change it or cancel it."))
        return subject, [*lines, *link(conference)]

    send(f"declined/{conference.id}/{party.id}", organisers_of(conference), text)


def _by_owner(request: Request) -> tuple[int, datetime, int]:
    return request.owner_id, request.conference.starts_at, request.reservation_id


def _asked(requests: Sequence[Request]) -> tuple[str, list[str]]:
    owner = requests[0].conference.organisation.name
    lines = [_("%(owner)s asks for the use of:", owner=owner)]
    for request in requests:
        conference = request.conference
        lines += [
            "",
            _(
                "%(studio)s, %(when)s, for %(reference)s.",
                studio=request.studio,
                when=time_span(conference.starts_at, conference.ends_at),
                reference=conference.reference,
            ),
            _("Without an answer before %(time)s it counts as declined.", time=moment(request.expires_at)),
            *link(conference)[1:],
        ]
    return _("%(owner)s asks for your approval", owner=owner), lines
