"""What the buttons of the booking form do to what is typed. None of them saves anything."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from flask_babel import gettext as _
from flask_babel import ngettext

from models import Account
from studios.booking.api.asked import PartyRequest
from studios.booking.candidates import Own
from studios.booking.desk import finder
from studios.booking.desk.finder import MOST_RECENT, Hit
from studios.booking.desk.parties import Network, label, named, read, value_of
from studios.booking.desk.repeats import Chosen
from studios.booking.forms import (
    ANY_TIME,
    SUMMER,
    WINTER,
    BookingForm,
    as_minutes,
    complain,
    read_meeting,
    shown_as,
    text_of,
    today,
    zone,
)
from studios.booking.rules import FEWEST_PARTIES, MOST_PARTIES
from studios.booking.times import clock
from studios.booking.typed import YEARS, date_text, read_date, read_minutes, time_text, turned
from studios.calendars.rules import STEP, Span

DAY, WEEK = "day", "week"


@dataclass
class Draft:
    """The form with its parties, and what happened last, in a sentence."""

    form: BookingForm
    parties: list[PartyRequest]
    network: Network
    opened: list[str] = field(default_factory=list)
    chosen: Chosen = field(default_factory=Chosen)
    settles: bool = False
    told: str = ""
    # Where the focus goes when the button that was pressed is gone; empty when it stays.
    focus: str = ""
    # What fits what stands in the search field; none when nothing stands there.
    hits: list[Hit] | None = None
    recent: list[Hit] = field(default_factory=list)

    @property
    def is_week(self) -> bool:
        return bool(self.form.view.data == WEEK)


def press(draft: Draft, pressed: Mapping[str, str]) -> None:
    """Carry out the button that was pressed; `pressed` is the request's form, in which at most one has a value."""
    form = draft.form
    if form.shown.data and form.shown.data != shown_as(form):
        form.wished.data = ""  # a time was typed: that is now where it is wished for
    for name, act in _BUTTONS.items():
        if value := pressed.get(name):
            act(draft, value)
            return


def search(draft: Draft, person: Account, own: Own, take_only_hit: bool) -> None:
    """Look for what stands in the search field; `take_only_hit` adds it when there is but one. While the table is being
    laid, also whom this person met lately."""
    text = text_of(draft.form.find)
    recent = finder.groups_as_hits(person, draft.network) if text or len(draft.parties) < FEWEST_PARTIES else []
    recent += finder.recent_of(person, draft.network) if len(draft.parties) < FEWEST_PARTIES else []
    if text:
        _find(draft, finder.find(text, draft.network, own, recent), take_only_hit)
    chosen = {value_of(party) for party in draft.parties}
    draft.recent = [hit for hit in recent if hit.value not in chosen][:MOST_RECENT]


def _find(draft: Draft, found: list[Hit], take_only_hit: bool) -> None:
    chosen = {value_of(party) for party in draft.parties if party.any_of is None}  # a pool gives a studio each time
    draft.hits = [hit for hit in found if hit.value not in chosen]
    if take_only_hit and len(draft.hits) == 1:
        [only], draft.hits = draft.hits, None
        add(draft, only.value)
    elif not draft.hits:
        draft.told = _("What fits is chosen already.") if found else _("Nothing fits. Try a place, a name or a code.")
    else:
        draft.told = ngettext("%(num)s found.", "%(num)s found.", len(draft.hits))


def count_minutes(form: BookingForm) -> None:
    """Where an end was typed, the duration follows it."""
    if text_of(form.end) and (meeting := read_meeting(form)):
        form.duration.data = as_minutes(meeting)


def add(draft: Draft, value: str) -> None:
    """A party, or all of a group."""
    draft.form.find.data = ""
    draft.focus = "find"
    for each in _several(value):
        _add(draft, each)


def _several(value: str) -> list[str]:
    """The parties of a group, which is a list; a single one is itself."""
    try:
        found = json.loads(value)
    except ValueError:
        return []
    if not isinstance(found, list):
        return [value]
    return [value_of(party) for each in found if (party := read(json.dumps(each)))]


def _add(draft: Draft, value: str) -> None:
    party = read(value)
    if party is None or (party.any_of is None and value in map(value_of, draft.parties)):
        return
    if len(draft.parties) >= MOST_PARTIES:
        complain(draft.form.find, _("Choose at most %(most)s studios.", most=MOST_PARTIES))
        return
    draft.parties.append(party)
    draft.told = _("%(name)s is added.", name=label(party, draft.network))


def _remove(draft: Draft, value: str) -> None:
    place = _place(draft, value)
    if place is not None:
        gone = draft.parties.pop(place)
        draft.told = _("%(name)s is removed.", name=label(gone, draft.network))
    draft.focus = "find"


def _put_first(draft: Draft, value: str) -> None:
    place = _place(draft, value)
    if place is not None:
        draft.parties.insert(0, draft.parties.pop(place))
        draft.told = _("%(name)s is now the first.", name=label(draft.parties[0], draft.network))
        draft.focus = "parties"


def _open(draft: Draft, value: str) -> None:
    """Draw the studios of a pool, or no longer."""
    if value in draft.opened:
        draft.opened.remove(value)
    else:
        draft.opened.append(value)


def _pick(draft: Draft, value: str) -> None:
    """One studio of a pool, by name."""
    try:
        wanted = json.loads(value)
        place, code = _place(draft, wanted["party"]), wanted["studio"]
    except (ValueError, KeyError, TypeError):
        return
    if place is None or not isinstance(code, str):
        return
    pool = draft.parties[place].any_of
    equipment, people = (pool.equipment, pool.capacity) if pool else ([], 1)
    chosen = named(code).model_copy(update={"attendees": people if people > 1 else None, "equipment": equipment})
    draft.parties[place] = chosen
    draft.told = _("%(name)s is chosen.", name=label(chosen, draft.network))
    draft.focus = "day"


def _place(draft: Draft, value: str) -> int | None:
    return next((place for place, party in enumerate(draft.parties) if value_of(party) == value), None)


def _last(draft: Draft, minutes: str) -> None:
    if read_minutes(minutes):
        draft.form.duration.data, draft.form.end.data = minutes, ""


def _lengthen(draft: Draft, minutes: str) -> None:
    """By one step, as dragging its end does."""
    meeting = read_meeting(draft.form)
    step = STEP if minutes == "5" else -STEP
    if meeting and meeting.length + step >= STEP:
        _set(draft.form, Span(meeting.start, meeting.end + step))
        _tell_time(draft)


def _turn_day(draft: Draft, steps: str) -> None:
    day = read_date(text_of(draft.form.date), today()) or today()
    days = 7 if draft.is_week else 1
    draft.form.date.data = date_text(turned(day, days if steps == "1" else -days))
    draft.form.wished.data = ""


def _show(draft: Draft, view: str) -> None:
    draft.form.view.data = WEEK if view == WEEK else DAY


def _move(draft: Draft, start: str) -> None:
    if wanted := _instant(start):
        _keep_wish(draft.form)
        move_to(draft.form, wanted)
        _tell_time(draft)


def _take(draft: Draft, value: str) -> None:
    """A suggested time, with its length."""
    start, _slash, minutes = value.partition("/")
    wanted, length = _instant(start), read_minutes(minutes)
    if wanted and length:
        _keep_wish(draft.form)
        _set(draft.form, Span(wanted, wanted + timedelta(minutes=length)))
        _tell_time(draft)


def _shift(draft: Draft, minutes: str) -> None:
    if meeting := read_meeting(draft.form):
        _keep_wish(draft.form)
        move_to(draft.form, meeting.start + (STEP if minutes == "5" else -STEP))
        _tell_time(draft)


def _settle(draft: Draft, _value: str) -> None:
    draft.settles = True


def _instant(text: str) -> datetime | None:
    try:
        wanted = datetime.fromisoformat(text)
    except ValueError:
        return None
    return wanted if wanted.tzinfo is not None and wanted.year in YEARS else None


def _keep_wish(form: BookingForm) -> None:
    """Where it was wished for before it is moved for the first time."""
    if form.wished.data == ANY_TIME:
        form.wished.data = ""
    elif not form.wished.data and (meeting := read_meeting(form)):
        form.wished.data = meeting.start.isoformat()


def _tell_time(draft: Draft) -> None:
    if meeting := read_meeting(draft.form):
        draft.told = f"{clock(meeting.start)}–{clock(meeting.end)}."


def move_to(form: BookingForm, start: datetime) -> None:
    """The meeting at another start, as long as it was."""
    meeting = read_meeting(form)
    wall = start.astimezone(zone())
    form.date.data, form.start.data = date_text(wall.date()), time_text(wall.time())
    form.start_clock.data = WINTER if wall.fold else SUMMER
    if meeting and text_of(form.end):
        _last_until(form, Span(start, start + meeting.length))


def _set(form: BookingForm, meeting: Span) -> None:
    if text_of(form.end):
        move_to(form, meeting.start)
        _last_until(form, meeting)
    else:
        move_to(form, meeting.start)
        form.duration.data = as_minutes(meeting)


def _last_until(form: BookingForm, meeting: Span) -> None:
    end = meeting.end.astimezone(zone())
    form.end.data, form.end_clock.data = time_text(end.time()), WINTER if end.fold else SUMMER
    form.duration.data = as_minutes(meeting)


_BUTTONS: dict[str, Callable[[Draft, str], None]] = {
    "add": add,
    "remove": _remove,
    "first": _put_first,
    "open": _open,
    "pick": _pick,
    "minutes": _last,
    "lengthen": _lengthen,
    "day": _turn_day,
    "show": _show,
    "move": _move,
    "take": _take,
    "shift": _shift,
    "settle": _settle,
}
