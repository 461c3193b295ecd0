"""What is in the way, in a sentence each: for pages, for programs and for mails."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from studios.booking.obstacles import Kind, Obstacle
from studios.booking.times import clock

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
