"""Why a request is refused, as a sentence beside the field that it is about."""

from flask_babel import lazy_gettext as _l

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
    Problem.TOO_FEW_PARTIES: ("find", _l("Choose at least %(fewest)s studios.")),
    Problem.TOO_MANY_PARTIES: ("find", _l("Choose at most %(most)s studios.")),
    Problem.STUDIO_TWICE: ("find", _l("A studio is chosen twice. Remove it once.")),
    Problem.END_BEFORE_START: ("end", _l("The end must come after the start.")),
    Problem.START_IN_THE_PAST: ("start", _l("The start has passed. Choose a time ahead.")),
    Problem.END_IN_THE_PAST: ("end", _l("The end has passed. Choose a time ahead, or end the conference now.")),
    Problem.TOO_LONG: ("duration", _l("A conference can last at most %(hours)s hours.")),
    Problem.TOO_FAR_AHEAD: ("date", _l("A conference can be booked at most %(days)s days ahead.")),
    Problem.START_IS_FIXED: ("end", _l("The conference is under way: its start cannot be moved.")),
    Problem.STUDIOS_ARE_FIXED: ("end", _l("The conference is under way: its studios cannot be changed.")),
}


def field_of(problem: Problem) -> str:
    return PROBLEMS[problem][0]


def sentence(problem: Problem, title: str, longest_hours: float, horizon_days: float) -> str:
    return str(PROBLEMS[problem][1]) % {
        "length": len(title),
        "longest": LONGEST_TITLE,
        "fewest": FEWEST_PARTIES,
        "most": MOST_PARTIES,
        "hours": f"{longest_hours:g}",
        "days": f"{horizon_days:g}",
    }
