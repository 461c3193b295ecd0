"""What the pages of bookings share: their blueprint, and how they say why nothing was done."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from errors import Refused
from models import Conference
from studios.booking import times
from studios.booking.explaining import obstacle_sentence
from studios.booking.forms import problem_sentence
from studios.booking.obstacles import WishRefused

blueprint = Blueprint("booking", __name__)
for _filter in (times.clock, times.clock_seconds, times.day_name, times.capital, times.length_of):
    blueprint.add_app_template_filter(_filter)


def seen_version() -> int:
    """The version that the person saw, as the form says; -1, which no conference has, when it says none."""
    text = request.form.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1


def refusal_text(error: Refused) -> str:
    """A refusal in sentences, with all that is in the way."""
    if isinstance(error, WishRefused):
        return " ".join(map(problem_sentence, error.problems))
    return " ".join([error.message, *map(obstacle_sentence, getattr(error, "obstacles", ()))])


def refused_page(found: Conference, error: Refused) -> ResponseReturnValue:
    """Why nothing was done, with the way to the conference as it is now."""
    return render_template("booking/refused.html", conference=found, message=refusal_text(error)), error.status
