"""The booking form: what is typed, kept as typed, and what it means."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask_babel import format_date
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, Field, HiddenField, RadioField, SelectField, StringField
from wtforms.fields.choices import SelectChoice

from config import settings
from models import Conference, Organisation, Party, PartyKind, Purpose
from studios.booking.conferences import studios_of, wish_of
from studios.booking.refusals import field_of, sentence
from studios.booking.rules import (
    Problem,
    TimeDoesNotExist,
    TimeIsAmbiguous,
    end_of,
    instant,
    party_problems,
    title_problems,
)
from studios.booking.typed import YEARS, date_text, read_date, read_minutes, read_time, time_text
from studios.booking.wishes import Booking, PartyWish, studios
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
EARLIEST, LATEST = "08:00", "16:00"  # when other times are looked for, unless somebody says otherwise
ANY_TIME = "any"
DAYS_TO_WAIT = timedelta(days=6)
SO_OFTEN = "10"  # what a series suggests


class BookingForm(FlaskForm):
    """Every field is text: what makes no sense stays as it was typed, with a sentence beside it.

    The parties come as many `party` fields, in the order of the table; `desk.parties` reads them. `shown` is the date
    and the start as the page last showed them: what differs was typed. `wished` is where the meeting was wished for
    when it was moved from there, ANY_TIME as long as nobody has said anything of the time.
    """

    title = StringField(_l("Title"))
    purpose = SelectField(_l("Purpose"), choices=PURPOSE_CHOICES, validate_choice=False)
    organisation = StringField(_l("Responsible organisation"))
    find = StringField(_l("Add a party"))
    date = StringField(_l("Date"))
    start = StringField(_l("Start"))
    start_clock = RadioField(_l("Which start do you mean?"), choices=CLOCKS, validate_choice=False)
    duration = StringField(_l("Duration in minutes"))
    end = StringField(_l("End"))
    end_clock = RadioField(_l("Which end do you mean?"), choices=CLOCKS, validate_choice=False)
    earliest = StringField(_l("Earliest"))
    latest = StringField(_l("Latest"))
    movable = BooleanField(_l("Others may ask for this time"))
    marked = BooleanField(_l("Use the rooms without video"))
    on_behalf = StringField(_l("Booked for (e-mail address)"))
    repeat = SelectField(_l("Repeats"), validate_choice=False)
    times = StringField(_l("How many times"))
    until = StringField(_l("Or until"))
    view = HiddenField()
    shown = HiddenField()
    wished = HiddenField()
    version = HiddenField()


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
        "earliest": EARLIEST,
        "latest": LATEST,
        "times": SO_OFTEN,
        "wished": ANY_TIME,
    }


def as_typed(conference: Conference, by_end: bool = False) -> dict[str, str | bool]:
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
        "earliest": EARLIEST,
        "latest": LATEST,
        "movable": conference.movable,
        "marked": not conference.video,
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


def problem_sentence(problem: Problem) -> str:
    """What is wrong with a meeting, where it is not the title."""
    return sentence(problem, "", settings())


def text_of(field: Field) -> str:
    return (field.data or "").strip()


def has_errors(form: BookingForm) -> bool:
    return any(field.errors for field in form)


def read_booking(
    form: BookingForm,
    wishes: Sequence[PartyWish | None],
    organisations: Sequence[Organisation],
    changed: Conference | None = None,
) -> Booking | None:
    """What is asked for; None, with a sentence at each field that is wrong, when it cannot be asked.

    `wishes` are those of the form, None where a party names what there is not. Of the conference that is `changed`, who
    said no or was given back is not on the form, and stays away from a meeting whose time stays.
    """
    meeting = read_meeting(form)
    title = form.title.data or ""
    known = [wish for wish in wishes if wish is not None]
    stays = changed is not None and meeting == Span(changed.starts_at, changed.ends_at)
    parties = with_absent(known, changed) if changed and stays else known
    video = not form.marked.data
    complain_of(form, title_problems(title))
    if len(known) == len(wishes):
        complain_of(form, party_problems(parties, video))
    purpose, organisation = _purpose(form), _organisation(form, organisations)
    if has_errors(form) or len(known) < len(wishes) or meeting is None or purpose is None or organisation is None:
        return None
    movable = bool(form.movable.data)
    asked = Booking(
        title, purpose, organisation.id, meeting.start, meeting.end, tuple(parties), movable=movable, video=video
    )
    return replace(asked, organiser_id=changed.organiser_id) if changed else asked


def with_absent(wishes: Sequence[PartyWish], changed: Conference) -> list[PartyWish]:
    """These in the places of those that are on the form, and who is not on it in theirs."""
    chosen, found = iter(wishes), list[PartyWish | None]()
    for party in changed.parties:
        found.append(next(chosen, None) if is_on_form(party) else wish_of(party))
    return [wish for wish in [*found, *chosen] if wish is not None]


def is_on_form(party: Party) -> bool:
    """Not who declined, and not a studio that was given back."""
    return party.kind is PartyKind.GUEST or (party.reservation is not None and party.reservation.released_at is None)


def read_changes_while_running(form: BookingForm, conference: Conference) -> Booking | None:
    """What is asked of a conference that is under way: another title or end, and all else as it stands."""
    title = form.title.data or ""
    complain_of(form, title_problems(title))
    end = read_new_end(form, conference.starts_at)
    if has_errors(form) or end is None:
        return None
    seated = [studio.id for studio in studios_of(conference)]
    return Booking(title, conference.purpose, conference.organisation_id, conference.starts_at, end, studios(seated))


def read_meeting(form: BookingForm) -> Span | None:
    """The wished time; None, with sentences at its fields, when it makes no sense or must be asked about."""
    for field in (form.date, form.start, form.duration, form.end):
        field.errors = []
    day, wall = _day(form), _time(form.start, _("Type a start such as 09:30."))
    start = _instant(form.start, form.start_clock, day, wall) if day and wall is not None else None
    end = _typed_end(form, day, start) if text_of(form.end) else _counted_end(form, start)
    return Span(start, end) if start and end else None


def read_hours(form: BookingForm) -> tuple[time, time]:
    """Between which hours of the day other times are looked for; what makes no sense, the usual ones."""
    earliest, latest = read_time(text_of(form.earliest)), read_time(text_of(form.latest))
    for field, typed in ((form.earliest, earliest), (form.latest, latest)):
        if text_of(field) and typed is None:
            complain(field, _("Type a time such as 08:00."))
    return earliest or time.fromisoformat(EARLIEST), latest or time.fromisoformat(LATEST)


def waiting_window(form: BookingForm, asked: Booking, zone: ZoneInfo) -> Span:
    """When a request that waits may be served: the chosen day and the six after it, within the hours of the form, and
    those of the meeting."""
    earliest, latest = read_hours(form)
    start, end = asked.start.astimezone(zone), asked.end.astimezone(zone)
    opens = datetime.combine(start.date(), min(earliest, start.time()), zone)
    closes = datetime.combine(start.date() + DAYS_TO_WAIT, max(latest, end.time()), zone)
    return Span(max(opens.astimezone(UTC), now()), closes.astimezone(UTC))


def read_wished(form: BookingForm) -> datetime | None:
    """Where the meeting was wished for, when it was moved from there."""
    try:
        wished = datetime.fromisoformat(form.wished.data or "")
    except ValueError:
        return None
    return wished if wished.tzinfo is not None and wished.year in YEARS else None


def shown_as(form: BookingForm) -> str:
    """The date and the start as they stand on the form."""
    return f"{text_of(form.date)} {text_of(form.start)}"


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
