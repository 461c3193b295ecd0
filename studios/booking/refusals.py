"""Why a request is refused, as a sentence beside the field that it is about."""

from flask_babel import lazy_gettext as _l

from config import Settings
from studios.booking.rules import FEWEST_PARTIES, LONGEST_TITLE, MOST_PARTIES, Problem

# By problem: the field, and the sentence. Its placeholders are filled by `sentence`.
PROBLEMS = {
    Problem.TITLE_MISSING: ("title", _l("Give the conference a title.")),
    Problem.TITLE_TOO_LONG: (
        "title",
        _l("The title has %(length)s characters; it can have at most %(longest)s."),
    ),
    Problem.TITLE_UNPRINTABLE: (
        "title",
        _l("The title has characters that cannot be shown. Type it again in plain text."),
    ),
    Problem.TITLE_HOLDS_IDENTITY_NUMBER: (
        "title",
        _l("The title holds a national identity number. Say what the conference is about without naming a patient."),
    ),
    Problem.REASON_MISSING: ("reason", _l("Give a reason; the others will see it.")),
    Problem.REASON_TOO_LONG: ("reason", _l("The reason is too long.")),
    Problem.REASON_UNPRINTABLE: (
        "reason",
        _l("The reason has characters that cannot be shown. Type it again in plain text."),
    ),
    Problem.REASON_HOLDS_IDENTITY_NUMBER: (
        "reason",
        _l("The reason holds a national identity number. Give it without naming a patient."),
    ),
    Problem.TOO_FEW_PARTIES: ("find", _l("Choose at least %(fewest)s studios.")),
    Problem.TOO_MANY_PARTIES: ("find", _l("Choose at most %(most)s studios.")),
    Problem.STUDIO_TWICE: ("find", _l("A studio is chosen twice. Remove it once.")),
    Problem.GUEST_TWICE: ("find", _l("A guest is invited twice. Remove them once.")),
    Problem.GUEST_ADDRESS: (
        "find",
        _l("Type a guest as a video address such as sip:name@example.org, or a telephone number such as +4777000000."),
    ),
    Problem.GUEST_WITHOUT_VIDEO: ("find", _l("Without video nobody is called: there can be no guests.")),
    Problem.NO_STUDIO: ("find", _l("Choose at least one studio.")),
    Problem.END_BEFORE_START: ("end", _l("The end must come after the start.")),
    Problem.START_IN_THE_PAST: ("start", _l("The start has passed. Choose a time ahead.")),
    Problem.TOO_SOON: ("start", _l("Book at least %(lead)s minutes ahead.")),
    Problem.END_IN_THE_PAST: ("end", _l("The end has passed. Choose a time ahead, or end the conference now.")),
    Problem.TOO_LONG: ("duration", _l("A conference can last at most %(hours)s hours.")),
    Problem.TOO_FAR_AHEAD: ("date", _l("A conference can be booked at most %(days)s days ahead.")),
    Problem.TIME_DOES_NOT_EXIST: (
        "start",
        _l("This time does not exist: the clocks are set forward that night. Choose another time."),
    ),
    Problem.START_IS_FIXED: ("end", _l("The conference is under way: its start cannot be moved.")),
    Problem.STUDIOS_ARE_FIXED: ("end", _l("The conference is under way: its studios cannot be changed.")),
    Problem.VIDEO_IS_FIXED: ("video", _l("The conference is under way: it stays with or without video as it began.")),
}


def field_of(problem: Problem) -> str:
    return PROBLEMS[problem][0]


def sentence(problem: Problem, title: str, found: Settings) -> str:
    return str(PROBLEMS[problem][1]) % {
        "length": len(title),
        "longest": LONGEST_TITLE,
        "fewest": FEWEST_PARTIES,
        "most": MOST_PARTIES,
        "hours": f"{found.longest_hours:g}",
        "days": f"{found.horizon_days:g}",
        "lead": f"{found.lead_minutes:g}",
    }
