"""What the buttons of the booking form do to what is typed. None of them saves anything."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask_babel import gettext as _
from flask_babel import ngettext

from models import Studio
from studios.booking.forms import (
    SUMMER,
    WINTER,
    BookingForm,
    as_minutes,
    complain,
    is_code,
    read_meeting,
    text_of,
    today,
    zone,
)
from studios.booking.rules import MOST_PARTIES
from studios.booking.typed import YEARS, date_text, read_date, read_minutes, time_text, turned
from studios.calendars.rules import Span
from studios.inventory.queries import search_studios


@dataclass
class Draft:
    """The form with the codes of the studios that are chosen, and what happened last, in a sentence."""

    form: BookingForm
    codes: list[str]
    told: str = ""
    # Where the focus goes when the button that was pressed is gone; empty when it stays.
    focus: str = ""
    # The studios that fit what stands in the search field; none when nothing stands there.
    hits: list[Studio] | None = None


def press(draft: Draft, pressed: dict[str, str]) -> None:
    """Carry out the button that was pressed; `pressed` is the request's form, in which at most one has a value."""
    for name, act in _BUTTONS.items():
        if value := pressed.get(name):
            act(draft, value)
            return


def search(draft: Draft, take_only_hit: bool) -> None:
    """Look for what stands in the search field; `take_only_hit` adds the studio when there is but one."""
    text = text_of(draft.form.find)
    if not text:
        return
    found = search_studios(text)
    draft.hits = [studio for studio in found if studio.code not in draft.codes]
    if take_only_hit and len(draft.hits) == 1:
        code, draft.hits = draft.hits[0].code, None
        add(draft, code)
    elif not draft.hits:
        draft.told = _("What fits is chosen already.") if found else _("No studio fits. Try a place, a name or a code.")
    else:
        draft.told = ngettext("%(num)s studio found.", "%(num)s studios found.", len(draft.hits))


def count_minutes(form: BookingForm) -> None:
    """Where an end was typed, the duration follows it."""
    if text_of(form.end) and (meeting := read_meeting(form)):
        form.duration.data = as_minutes(meeting)


def add(draft: Draft, code: str) -> None:
    draft.form.find.data = ""
    draft.focus = "find"
    if code in draft.codes or not is_code(code):
        return
    if len(draft.codes) >= MOST_PARTIES:
        complain(draft.form.find, _("Choose at most %(most)s studios.", most=MOST_PARTIES))
        return
    draft.codes.append(code)
    draft.told = _("%(code)s is added.", code=code)


def _remove(draft: Draft, code: str) -> None:
    draft.codes = [kept for kept in draft.codes if kept != code]
    draft.told = _("%(code)s is removed.", code=code)
    draft.focus = "find"


def _put_first(draft: Draft, code: str) -> None:
    if code in draft.codes:
        draft.codes = [code, *(other for other in draft.codes if other != code)]
        draft.told = _("%(code)s is now the first.", code=code)
        draft.focus = "parties"


def _last(draft: Draft, minutes: str) -> None:
    if read_minutes(minutes):
        draft.form.duration.data, draft.form.end.data = minutes, ""


def _turn_day(draft: Draft, days: str) -> None:
    day = read_date(text_of(draft.form.date), today()) or today()
    draft.form.date.data = date_text(turned(day, 1 if days == "1" else -1))


def _move(draft: Draft, start: str) -> None:
    try:
        wanted = datetime.fromisoformat(start)
    except ValueError:
        return
    if wanted.tzinfo is not None and wanted.year in YEARS:
        _move_to(draft.form, wanted)


def _shift(draft: Draft, minutes: str) -> None:
    if meeting := read_meeting(draft.form):
        _move_to(draft.form, meeting.start + timedelta(minutes=5 if minutes == "5" else -5))


def _move_to(form: BookingForm, start: datetime) -> None:
    """The meeting at another start, as long as it was."""
    meeting = read_meeting(form)
    wall = start.astimezone(zone())
    form.date.data, form.start.data = date_text(wall.date()), time_text(wall.time())
    form.start_clock.data = WINTER if wall.fold else SUMMER
    if meeting and text_of(form.end):
        _last_until(form, Span(start, start + meeting.length))


def _last_until(form: BookingForm, meeting: Span) -> None:
    end = meeting.end.astimezone(zone())
    form.end.data, form.end_clock.data = time_text(end.time()), WINTER if end.fold else SUMMER
    form.duration.data = as_minutes(meeting)


_BUTTONS: dict[str, Callable[[Draft, str], None]] = {
    "add": add,
    "remove": _remove,
    "first": _put_first,
    "minutes": _last,
    "day": _turn_day,
    "move": _move,
    "shift": _shift,
}
