"""What is in the way, in a sentence each: for pages, for programs and for mails."""

from collections.abc import Collection
from datetime import datetime, timedelta

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from studios.booking.finding.question import Blocker, Remark, Why
from studios.booking.obstacles import Kind, Obstacle
from studios.booking.times import clock
from studios.booking.worries import Worry

SENTENCES = {
    Kind.CLOSED: _l("%(studio)s is out of use %(start)s–%(end)s: %(reason)s."),
    Kind.OUTSIDE_HOURS: _l("%(studio)s cannot be booked at that hour."),
    Kind.PRIVATE: _l("%(studio)s is for its own organisation only."),
    Kind.TOO_SMALL: _l("%(studio)s has too few seats."),
    Kind.LACKS_EQUIPMENT: _l("%(studio)s does not have the equipment that is asked for."),
    Kind.NO_SUCH_STUDIO: _l("There is no studio %(studio)s."),
    Kind.NONE_IN_POOL: _l("No studio fits what party %(party)s asks for."),
    Kind.NONE_FREE: _l("None of the studios that would do for party %(party)s is free."),
    Kind.NO_PORTS: _l("The conference bridges have no room left for so many parties."),
    Kind.RETIRED: _l("The studio of party %(party)s is no longer in use."),
}
REMARKS = {
    Remark.DOWN: _l("%(studio)s is out of order, and the conference is soon."),
    Remark.DOWN_BUT_LATER: _l("%(studio)s is out of order now; there is time to put that right."),
    Remark.UNTESTED: _l("%(studio)s has passed no quality test in the last six months."),
    Remark.SAME_SITE: _l("%(studio)s is at the site of a studio that is asked for by name."),
    Remark.ROOMY: _l("%(studio)s is much larger than asked for; nothing closer is free."),
}
WORRIES = {
    Worry.QUALITY_FAILED: _l("%(studio)s failed its last quality test."),
    Worry.QUALITY_EXPIRED: _l("The last quality test of %(studio)s is more than six months old."),
    Worry.OUT_OF_ORDER: _l("%(studio)s is out of order now."),
    Worry.OUT_OF_ORDER_AND_SOON: _l("%(studio)s is out of order, and the conference is soon. Choose another studio."),
    Worry.NOT_CLINICAL: _l("%(studio)s is not suited for clinical use."),
}
BLOCKERS = {
    Why.CLOSED: SENTENCES[Kind.CLOSED],
    Why.HOURS: SENTENCES[Kind.OUTSIDE_HOURS],
    Why.DOWN: _l("%(studio)s is out of order, and %(time)s is soon."),
    Why.PORTS: SENTENCES[Kind.NO_PORTS],
    Why.TOO_SOON: _l("%(time)s has passed, or is too soon."),
    Why.TOO_FAR: _l("%(time)s is further ahead than can be booked."),
    Why.OUTSIDE: _l("%(time)s is not within the time that was asked for."),
}


def worry_sentence(worry: Worry, code: str) -> str:
    return str(WORRIES[worry]) % {"studio": code}


def remark_sentence(remark: Remark, code: str) -> str:
    return str(REMARKS[remark]) % {"studio": code}


def obstacle_sentence(obstacle: Obstacle) -> str:
    """What it is, whose it is and whom to call; never another organisation's title."""
    facts = {
        "studio": obstacle.studio,
        "party": ", ".join(str(position + 1) for position in obstacle.parties),
        "start": clock(obstacle.start) if obstacle.start else "",
        "end": clock(obstacle.end) if obstacle.end else "",
        "reason": obstacle.reason.rstrip("."),
    }
    if obstacle.kind is not Kind.TAKEN:
        return str(SENTENCES[obstacle.kind]) % facts
    whose = ", ".join(part for part in (obstacle.reference, obstacle.owner, obstacle.contact) if part)
    if not whose:
        return _("%(studio)s is taken %(start)s–%(end)s.", **facts)
    return _("%(studio)s is taken %(start)s–%(end)s: %(whose)s.", whose=whose, **facts)


def blocker_sentence(blocker: Blocker, code: str, start: datetime, alone: bool) -> str:
    """What keeps a meeting from beginning at `start`; `alone`: no other studio is in its way."""
    facts = {"studio": code, "time": clock(start), "reason": blocker.reason.rstrip(".")}
    if blocker.why is Why.RESERVED:
        return _blocked(blocker, alone, facts)
    span = blocker.span
    facts |= {"start": clock(span.start), "end": clock(span.end)} if span else {}
    return str(BLOCKERS[blocker.why]) % facts


def lack_sentence(party: int, parties: Collection[int], studios: int) -> str:
    """Why a party gets no studio of its own, whatever else is booked."""
    if studios == 0:
        return str(SENTENCES[Kind.NONE_IN_POOL]) % {"party": party + 1}
    together = ", ".join(str(each + 1) for each in parties)
    return ngettext(
        "Parties %(parties)s have only %(num)s studio between them.",
        "Parties %(parties)s have only %(num)s studios between them.",
        studios,
        parties=together,
    )


def _blocked(blocker: Blocker, alone: bool, facts: dict[str, str]) -> str:
    head = _("Only %(studio)s blocks %(time)s", **facts) if alone else _("%(studio)s is taken at %(time)s", **facts)
    what = blocker.reference or _("what is held there")
    if blocker.move is None:
        return f"{head}."
    minutes = -(-abs(blocker.move) // timedelta(minutes=1))
    return ngettext(
        "%(head)s; %(what)s would have to move by %(num)s minute.",
        "%(head)s; %(what)s would have to move by %(num)s minutes.",
        minutes,
        head=head,
        what=what,
    )
