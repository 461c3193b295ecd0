"""The booking form: what is typed, kept as typed, and what it means."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import format_date
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import Field, HiddenField, RadioField, SelectField, StringField
from wtforms.fields.choices import SelectChoice

from config import settings
from models import Conference, Organisation, Party, Purpose
from studios.booking.conferences import studios_of, wish_of
from studios.booking.refusals import field_of, sentence
from studios.booking.rules import (
    MOST_PARTIES,
    Problem,
    TimeDoesNotExist,
    TimeIsAmbiguous,
    end_of,
    instant,
    party_problems,
    title_problems,
)
from studios.booking.typed import date_text, read_date, read_minutes, read_time, time_text
from studios.booking.wishes import Booking, GuestWish, PartyWish, StudioWish, studios
from studios.booking.wording import PURPOSES
from studios.calendars.rules import Span

SUMMER, WINTER = "summer", "winter"
CLOCKS = [
    SelectChoice(SUMMER, _l("The first time, summer time")),
    SelectChoice(WINTER, _l("The second time, winter time")),
]
PURPOSE_CHOICES = [SelectChoice(purpose, name) for purpose, name in PURPOSES.items()]
QUICK_MINUTES = (30, 45, 60, 90)
MINUTE = timedelta(minutes=1)
STARTS_EVERY = timedelta(minutes=15)
# Codes are at most this long in the model; what is longer is no code.
LONGEST_CODE = 40


class BookingForm(FlaskForm):
    """Every field is text: what makes no sense stays as it was typed, with a sentence beside it.

    The chosen studios come as many `studio` fields, in the order of the table; `codes_in` reads them.
    """

    title = StringField(_l("Title"))
    purpose = SelectField(_l("Purpose"), choices=PURPOSE_CHOICES, validate_choice=False)
    organisation = StringField(_l("Responsible organisation"))
    find = StringField(_l("Add a studio"))
    date = StringField(_l("Date"))
    start = StringField(_l("Start"))
    start_clock = RadioField(_l("Which start do you mean?"), choices=CLOCKS, validate_choice=False)
    duration = StringField(_l("Duration in minutes"))
    end = StringField(_l("End"))
    end_clock = RadioField(_l("Which end do you mean?"), choices=CLOCKS, validate_choice=False)
    version = HiddenField()

    @property
    def typed_version(self) -> int:
        """The version that the person saw; -1, which no conference has, when it is missing or no number."""
        text = self.version.data or ""
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1


def codes_in(form: Any) -> list[str]:
    """The chosen studios' codes, in order, each once; one more than may be chosen shows that there are too many."""
    typed = (code.strip() for code in form.getlist("studio"))
    return [code for code in dict.fromkeys(typed) if code][: MOST_PARTIES + 1]


def is_code(text: str) -> bool:
    return text.isprintable() and len(text) <= LONGEST_CODE


def zone() -> ZoneInfo:
    return ZoneInfo(settings().zone)


def now() -> datetime:
    return datetime.now(UTC)


def today() -> date:
    return now().astimezone(zone()).date()


def blank() -> dict[str, str]:
    """What an empty form suggests: an hour at the next quarter."""
    wall = now().astimezone(zone())
    start = wall + STARTS_EVERY - timedelta(minutes=wall.minute % 15)
    return {
        "purpose": Purpose.CLINICAL,
        "date": date_text(start.date()),
        "start": time_text(start.time()),
        "duration": "60",
    }


def as_typed(conference: Conference, by_end: bool) -> dict[str, str]:
    """A conference as somebody would have typed it, `by_end` with its end instead of its duration."""
    start, end = conference.starts_at.astimezone(zone()), conference.ends_at.astimezone(zone())
    minutes = as_minutes(Span(conference.starts_at, conference.ends_at))
    return {
        "title": conference.title,
        "purpose": conference.purpose,
        "organisation": conference.organisation.name,
        "date": date_text(start.date()),
        "start": time_text(start.time()),
        "start_clock": WINTER if start.fold else SUMMER,
        "duration": minutes,
        "end": time_text(end.time()) if by_end or not minutes else "",
        "end_clock": WINTER if end.fold else SUMMER,
        "version": str(conference.version),
    }


def as_minutes(meeting: Span) -> str:
    """A length as the form writes it; nothing when it is no whole number of minutes."""
    return "" if meeting.length % MINUTE else str(meeting.length // MINUTE)


def complain(field: Field, text: str) -> None:
    if text not in field.errors:
        field.errors = [*field.errors, text]


def complain_of(form: BookingForm, problems: Iterable[Problem]) -> None:
    """A sentence beside the field of each problem."""
    for problem in problems:
        text = sentence(problem, form.title.data or "", settings())
        field = "end" if problem is Problem.TOO_LONG and text_of(form.end) else field_of(problem)
        complain(form[field], text)


def text_of(field: Field) -> str:
    return (field.data or "").strip()


def has_errors(form: BookingForm) -> bool:
    return any(field.errors for field in form)


def read_booking(
    form: BookingForm,
    studio_ids: Mapping[str, int],
    codes: Sequence[str],
    organisations: Sequence[Organisation],
    changed: Conference | None = None,
) -> Booking | None:
    """What is asked for; None, with a sentence at each field that is wrong, when it cannot be asked.

    What the form knows nothing of (guests, pools, how many come, whom it is for) stays as the conference that is
    `changed` has it. A pool gives what the person saw, by its name, where the time is another.
    """
    meeting = read_meeting(form)
    title = form.title.data or ""
    known = tuple(studio_ids[code] for code in codes if code in studio_ids)
    stays = changed is not None and meeting == Span(changed.starts_at, changed.ends_at)
    parties = _parties(known, changed, stays)
    video = changed is None or changed.video
    complain_of(form, title_problems(title))
    complain_of(form, party_problems(parties, video) if len(known) == len(codes) else [])
    complain_of_unknown(form, [code for code in codes if code not in studio_ids])
    purpose, organisation = _purpose(form), _organisation(form, organisations)
    if has_errors(form) or meeting is None or purpose is None or organisation is None:
        return None
    asked = Booking(title, purpose, organisation.id, meeting.start, meeting.end, tuple(parties), video=video)
    if changed is None:
        return asked
    return replace(asked, movable=changed.movable, organiser_id=changed.organiser_id)


def guests_of(conference: Conference | None) -> list[GuestWish]:
    """Who is called at an address of their own; the form leaves them as they are."""
    wishes = [wish_of(party) for party in conference.parties] if conference else []
    return [wish for wish in wishes if isinstance(wish, GuestWish)]


def _parties(studio_ids: Sequence[int], changed: Conference | None, stays: bool) -> list[PartyWish]:
    """The chosen studios in the places that studios had, each as it was wished for, and the guests in theirs. Who said
    no is not on the form, and stays away from a meeting whose time stays."""
    before = changed.parties if changed else []
    own = {party.studio_id: _own_wish(party, stays) for party in before if party.studio_id and _is_shown(party)}
    chosen = iter([own.get(studio_id, StudioWish(studio_id)) for studio_id in studio_ids])
    found: list[PartyWish | None] = []
    for party in before:
        if _is_shown(party):
            found.append(next(chosen, None))
        elif party.studio_id is None or (stays and party.studio_id not in studio_ids):
            found.append(wish_of(party))
    return [wish for wish in [*found, *chosen] if wish is not None]


def _own_wish(party: Party, stays: bool) -> PartyWish:
    return wish_of(party) if stays else StudioWish(party.studio_id or 0, party.attendees)


def _is_shown(party: Party) -> bool:
    """Whether its studio is on the form."""
    return party.reservation is not None and party.reservation.released_at is None


def read_changes_while_running(form: BookingForm, conference: Conference) -> Booking | None:
    """What is asked of a conference that is under way: another title or end, and all else as it stands."""
    title = form.title.data or ""
    complain_of(form, title_problems(title))
    end = read_new_end(form, conference.starts_at)
    if has_errors(form) or end is None:
        return None
    seated = [studio.id for studio in studios_of(conference)]
    return Booking(title, conference.purpose, conference.organisation_id, conference.starts_at, end, studios(seated))


def complain_of_unknown(form: BookingForm, codes: Sequence[str]) -> None:
    for code in codes[:3]:
        complain(form.find, _("There is no studio with the code %(code)s. Remove it.", code=code[:LONGEST_CODE]))


def read_meeting(form: BookingForm) -> Span | None:
    """The wished time; None, with sentences at its fields, when it makes no sense or must be asked about."""
    for field in (form.date, form.start, form.duration, form.end):
        field.errors = []
    day, wall = _day(form), _time(form.start, _("Type a start such as 09:30."))
    start = _instant(form.start, form.start_clock, day, wall) if day and wall is not None else None
    end = _typed_end(form, day, start) if text_of(form.end) else _counted_end(form, start)
    return Span(start, end) if start and end else None


def read_new_end(form: BookingForm, start: datetime) -> datetime | None:
    """The end of a conference that is under way, whose start stands."""
    return _typed_end(form, start.astimezone(zone()).date(), start)


def _counted_end(form: BookingForm, start: datetime | None) -> datetime | None:
    minutes = read_minutes(text_of(form.duration))
    if minutes is None:
        complain(form.duration, _("Type how many minutes it lasts, such as 45."))
        return None
    return end_of(start, minutes) if start else None


def _typed_end(form: BookingForm, day: date | None, start: datetime | None) -> datetime | None:
    """The end on the start's day, or in the night after it: 23:30 to 00:30 is an hour."""
    wall = _time(form.end, _("Type an end such as 10:15, or leave it empty and type how long it lasts."))
    if wall is None or day is None or start is None:
        return None
    either = datetime.combine(day, wall, zone())  # a time that comes twice, or not at all, has two readings
    overnight = max(either.astimezone(UTC), either.replace(fold=1).astimezone(UTC)) <= start
    end = _instant(form.end, form.end_clock, day + timedelta(days=overnight), wall)
    if end is None:
        return None
    if end <= start or (overnight and end - start > timedelta(hours=settings().longest_hours)):
        complain_of(form, [Problem.END_BEFORE_START])
        return None
    return end


def _instant(field: Field, clock: Field, day: date, wall: time) -> datetime | None:
    """The instant of a typed time. Where it comes twice, `clock` is asked, and its answer taken."""
    summer = {SUMMER: True, WINTER: False}.get(clock.data)
    try:
        clock.asked = _comes_twice(day, wall)
        return instant(day, wall, zone(), summer)
    except TimeDoesNotExist:
        complain(
            field,
            _(
                "%(time)s does not exist on %(date)s: the clocks are set forward that night. Choose another time.",
                time=time_text(wall),
                date=format_date(day, "long"),
            ),
        )
    except TimeIsAmbiguous:
        complain(
            field,
            _(
                "%(time)s comes twice on %(date)s: the clocks are set back that night. Choose which one you mean.",
                time=time_text(wall),
                date=format_date(day, "long"),
            ),
        )
    return None


def _comes_twice(day: date, wall: time) -> bool:
    try:
        instant(day, wall, zone())
    except TimeIsAmbiguous:
        return True
    except TimeDoesNotExist:
        return False
    return False


def _day(form: BookingForm) -> date | None:
    day = read_date(text_of(form.date), today())
    if day is None:
        complain(form.date, _("Type a date such as %(example)s.", example=date_text(today())))
    return day


def _time(field: Field, advice: str) -> time | None:
    wall = read_time(text_of(field))
    if wall is None:
        complain(field, advice)
    return wall


def _purpose(form: BookingForm) -> Purpose | None:
    if form.purpose.data in set(Purpose):
        return Purpose(form.purpose.data)
    complain(form.purpose, _("Choose what the conference is for."))
    return None


def _organisation(form: BookingForm, organisations: Sequence[Organisation]) -> Organisation | None:
    typed = text_of(form.organisation).casefold()
    if not typed and len(organisations) == 1:
        return organisations[0]
    found = next((each for each in organisations if each.name.casefold() == typed), None)
    if found is None:
        complain(form.organisation, _("Choose an organisation that you may book for."))
    return found
