"""A request that repeats: the rule that was chosen, every meeting that it gives, and what is chosen for single ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from flask_babel import format_date, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms.fields.choices import SelectChoice

from models import Account
from studios.booking.candidates import Candidate
from studios.booking.desk.parties import Place
from studios.booking.explaining import obstacle_sentence
from studios.booking.forms import BookingForm, complain, problem_sentence, text_of, today
from studios.booking.rules import TimeDoesNotExist, TimeIsAmbiguous, instant
from studios.booking.series.choices import Choice, UnknownDays
from studios.booking.series.previews import Line, Preview, SeriesRequest, State, preview
from studios.booking.series.recurrence import Note, Recurrence
from studios.booking.series.rules import MOST_OCCURRENCES, WEEKDAYS, RuleRefused
from studios.booking.series.wording import PROBLEMS, describe, holiday_name
from studios.booking.times import clock, day_name
from studios.booking.typed import read_date, read_time
from studios.booking.wishes import Booking
from studios.booking.wording import Badge
from studios.calendars.rules import Span

ONCE = ""
REPEATS = [
    SelectChoice(ONCE, _l("Once")),
    SelectChoice("daily", _l("Every day")),
    SelectChoice("weekdays", _l("Every weekday")),
    SelectChoice("weekly", _l("Every week")),
    SelectChoice("fortnightly", _l("Every second week")),
    SelectChoice("monthly", _l("Every month, the same day of the week")),
]
FREQUENCIES = {
    "daily": "FREQ=DAILY",
    "weekdays": "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR",
    "weekly": "FREQ=WEEKLY",
    "fortnightly": "FREQ=WEEKLY;INTERVAL=2",
}
LAST_IN_MONTH = 5
NOTES = {
    Note.DST_WEEK: _l("The clocks change this week; the time on the wall stays."),
    Note.AMBIGUOUS: _l("This time comes twice that night; the first is taken."),
    Note.DOES_NOT_EXIST: _l("This time does not exist: the clocks are set forward that night. Type another one."),
    Note.QUIET_DAY: _l("A quiet day"),
}
BADGES = {
    State.FREE: Badge("ok", "ok", _l("Free")),
    State.REPLACEABLE: Badge("degraded", "swap", _l("Another studio is free")),
    State.CONFLICT: Badge("down", "down", _l("Not free")),
    State.IMPOSSIBLE: Badge("down", "down", _l("Not possible")),
    State.SKIPPED: Badge("unknown", "x", _l("Skipped")),
}
SKIP, REPLACE = "skip", "replace"


@dataclass(frozen=True)
class Occurrence:
    """A line of the preview. `replace`: what the form sends to take the other studios, with their names."""

    day: str
    when: str
    badge: Badge
    notes: Sequence[str]
    reasons: Sequence[str]
    replace: str
    replace_names: str
    chosen: str
    at: str
    is_in_the_way: bool


@dataclass(frozen=True)
class Repeats:
    """The rule in words, its meetings, and how many would be booked."""

    words: str
    lines: Sequence[Occurrence]
    verdict: Badge
    seen: Preview
    request: SeriesRequest


@dataclass
class Chosen:
    """By day what was chosen for single meetings, as it was typed."""

    what: dict[str, str] = field(default_factory=dict)
    at: dict[str, str] = field(default_factory=dict)


def chosen_in(form: Mapping[str, str]) -> Chosen:
    found = Chosen()
    for name, value in form.items():
        kind, _dash, day = name.partition("-")
        if kind in ("line", "at") and value and _is_day(day):
            (found.what if kind == "line" else found.at)[day] = value[:200]
    return found


def repeats_of(
    form: BookingForm,
    booking: Booking,
    places: Sequence[Place],
    chosen: Chosen,
    person: Account,
    zone: ZoneInfo,
    settles: bool,
) -> Repeats | None:
    """Every meeting with its state; None, with a sentence at its field, where the rule makes no sense. `settles`: take
    other studios where there are any, and skip what cannot be had."""
    recurrence = _recurrence(form, booking, zone)
    if recurrence is None:
        return None
    try:
        seen, request = _previewed(recurrence, booking, chosen, person, zone)
        if settles and _settle(seen, chosen):
            seen, request = _previewed(recurrence, booking, chosen, person, zone)
    except RuleRefused as refused:
        complain(form.repeat, str(PROBLEMS[refused.problem]))
        return None
    lines = [_line(line, places, chosen) for line in seen.lines]
    return Repeats(describe(recurrence), lines, _verdict(seen), seen, request)


def _recurrence(form: BookingForm, booking: Booking, zone: ZoneInfo) -> Recurrence | None:
    first = booking.start.astimezone(zone)
    rule = FREQUENCIES.get(form.repeat.data or "") or _monthly(first.date())
    end = _end(form)
    if end is None:
        return None
    minutes = (booking.end - booking.start) // timedelta(minutes=1)
    return Recurrence(f"{rule};{end}", first.date(), first.time().replace(fold=0), minutes, zone.key)


def _monthly(first: date) -> str:
    """The second Tuesday stays the second Tuesday; a fifth one is the last."""
    nth = (first.day - 1) // 7 + 1
    return f"FREQ=MONTHLY;BYDAY={-1 if nth == LAST_IN_MONTH else nth}{WEEKDAYS[first.weekday()]}"


def _end(form: BookingForm) -> str | None:
    """Until a day, where one is typed; else so many times."""
    if typed := text_of(form.until):
        day = read_date(typed, today())
        if day is None:
            complain(form.until, _("Type a date, or leave it empty and type how many times."))
            return None
        return f"UNTIL={day:%Y%m%d}"
    times = text_of(form.times)
    if not (times.isascii() and times.isdigit() and 1 <= int(times[:6]) <= MOST_OCCURRENCES):
        complain(form.times, _("Type how many times, from 1 to %(most)s.", most=MOST_OCCURRENCES))
        return None
    return f"COUNT={int(times)}"


def _previewed(
    recurrence: Recurrence, booking: Booking, chosen: Chosen, person: Account, zone: ZoneInfo
) -> tuple[Preview, SeriesRequest]:
    """Choices for days that the rule no longer names are dropped."""
    choices = _choices(chosen, zone)
    request = SeriesRequest(booking, recurrence, choices)
    try:
        return preview(request, person), request
    except UnknownDays as unknown:
        kept = {day: choice for day, choice in choices.items() if day not in unknown.days}
        request = SeriesRequest(booking, recurrence, kept)
        return preview(request, person), request


def _choices(chosen: Chosen, zone: ZoneInfo) -> dict[str, Choice]:
    return {
        day: Choice(
            chosen.what.get(day) == SKIP, _moved(day, chosen.at.get(day, ""), zone), _studios(chosen.what.get(day, ""))
        )
        for day in chosen.what.keys() | chosen.at.keys()
    }


def _moved(day: str, typed: str, zone: ZoneInfo) -> datetime | None:
    """Another time on that day; what makes no sense moves nothing."""
    wall = read_time(typed)
    try:
        return instant(date.fromisoformat(day), wall, zone, summer=True) if wall else None
    except (TimeDoesNotExist, TimeIsAmbiguous):
        return None


def _studios(value: str) -> dict[int, int]:
    """By party the studio, of what `_replacement` wrote."""
    kind, _colon, pairs = value.partition(":")
    if kind != REPLACE:
        return {}
    split = [pair.partition("=") for pair in pairs.split(",")]
    return {int(place): int(key) for place, _sign, key in split if place.isdecimal() and key.isdecimal()}


def _settle(seen: Preview, chosen: Chosen) -> bool:
    """Choose for each meeting that is in the way; says whether there were any."""
    blocking = [line for line in seen.lines if line.is_in_the_way]
    for line in blocking:
        chosen.what[line.day] = _replacement(line) if line.state is State.REPLACEABLE else SKIP
    return bool(blocking)


def _line(line: Line, places: Sequence[Place], chosen: Chosen) -> Occurrence:
    when = _when(line)
    notes = [str(NOTES[note]) for note in Note if note in line.notes and note in NOTES]
    notes += [str(holiday_name(name)) for name in line.holidays]
    reasons = [obstacle_sentence(obstacle) for obstacle in line.obstacles]
    reasons += [problem_sentence(problem) for problem in line.problems]
    what = chosen.what.get(line.day, "")
    replace = what if what.startswith(REPLACE) else _replacement(line)
    return Occurrence(
        day=line.day,
        when=when,
        badge=BADGES[line.state],
        notes=notes,
        reasons=reasons,
        replace=replace,
        replace_names=_names(line, places) if line.replacements else _("Other studios"),
        chosen=what,
        at=chosen.at.get(line.day, ""),
        is_in_the_way=line.is_in_the_way,
    )


def _when(line: Line) -> str:
    if line.start is None or line.end is None:
        return str(format_date(date.fromisoformat(line.day), "full"))
    span = Span(line.start, line.end)
    return f"{day_name(span.start, True)} {clock(span.start)}–{clock(span.end)}"


def _replacement(line: Line) -> str:
    """What the form sends to take the studios that would do instead; empty where there are none."""
    pairs = ",".join(f"{place}={room.id}" for place, room in sorted(line.replacements.items()))
    return f"{REPLACE}:{pairs}" if pairs else ""


def _names(line: Line, places: Sequence[Place]) -> str:
    def named(place: int, room: Candidate) -> str:
        return _("%(studio)s for %(party)s", studio=room.name, party=places[place].name)

    return ", ".join(named(place, room) for place, room in sorted(line.replacements.items()) if place < len(places))


def _verdict(seen: Preview) -> Badge:
    blocking = sum(line.is_in_the_way for line in seen.lines)
    if blocking:
        return Badge("down", "down", ngettext("%(num)s cannot be had", "%(num)s cannot be had", blocking))
    skipped = seen.count(State.SKIPPED)
    word = ngettext("%(num)s can be booked", "%(num)s can be booked", seen.count(State.FREE))
    return Badge("ok", "ok", ", ".join([word, *([_("%(num)s skipped", num=skipped)] if skipped else [])]))


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
