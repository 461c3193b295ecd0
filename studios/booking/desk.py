"""The coordinator's page: everything that it shows of a draft, read in a handful of queries."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from flask_babel import gettext as _
from flask_babel import ngettext

from accounts.permissions import access
from config import settings
from models import Conference, Health, Organisation, Studio
from studios.booking import queries
from studios.booking.conferences import limits
from studios.booking.forms import (
    BookingForm,
    complain_of,
    guests_of,
    is_code,
    now,
    read_meeting,
    read_new_end,
    text_of,
    today,
    zone,
)
from studios.booking.presses import Draft
from studios.booking.rules import FEWEST_PARTIES, Problem, host_position, time_problems
from studios.booking.typed import read_date
from studios.booking.wording import Badge
from studios.calendars.rules import Span
from studios.calendars.timelines import Day, buffers_of, draw_day
from studios.inventory.present import present_health

# A draft that is still being filled in is told of these at once; of the others when it is sent.
OF_THE_TIME = {Problem.START_IN_THE_PAST, Problem.TOO_SOON, Problem.TOO_FAR_AHEAD, Problem.TOO_LONG}


@dataclass(frozen=True)
class Seat:
    """A chosen studio at the table; without a studio the code is nobody's."""

    code: str
    studio: Studio | None
    health: Health
    hosts: bool


@dataclass(frozen=True)
class Desk:
    """`refusal` is why the last attempt to save failed, as one sentence, where it did."""

    form: BookingForm
    seats: list[Seat]
    hits: list[Studio] | None
    organisations: Sequence[Organisation]
    day: Day
    clashes: list[queries.Clash]
    closures: list[queries.Closed]
    verdict: Badge
    told: str
    focus: str
    conference: Conference | None
    guests: Sequence[str] = ()
    refusal: str = ""
    outdated: bool = False

    @property
    def running(self) -> bool:
        """Whether only the title and the end are open."""
        return self.conference is not None and queries.is_under_way(self.conference)

    @property
    def counted(self) -> str:
        """The duration, as typed, where that and no end decides how long it lasts."""
        return "" if text_of(self.form.end) else text_of(self.form.duration)

    @property
    def studios(self) -> list[Studio]:
        return [seat.studio for seat in self.seats if seat.studio]

    @property
    def problems(self) -> list[tuple[str, str]]:
        """Each sentence with the control that it is about, in the order of the page."""
        return [(field.id, str(error)) for field in self.form for error in field.errors]


def lay_out(
    draft: Draft,
    organisations: Sequence[Organisation],
    conference: Conference | None = None,
    refusal: str = "",
    outdated: bool = False,
) -> Desk:
    """Read what the page shows of a draft. `conference` is the one that is being changed."""
    seats = _seats(draft.codes)
    studios = [seat.studio for seat in seats if seat.studio]
    meeting = _meeting(draft.form, conference)
    day = meeting.start.astimezone(zone()).date() if meeting else _day(draft.form)
    moved = conference.id if conference else None
    drawn = draw_day(studios, day, meeting, access(), zone(), now(), moved)
    guests = [guest.address for guest in guests_of(conference)]
    in_the_way = meeting is not None and drawn.clashes
    return Desk(
        form=draft.form,
        seats=seats,
        hits=draft.hits,
        organisations=organisations,
        day=drawn,
        clashes=queries.clashes(_blocked(studios, meeting), moved) if meeting and in_the_way else [],
        closures=drawn.closures,
        verdict=_verdict(draft.form, seats, drawn, _fewest(conference) - len(guests)),
        told=draft.told,
        focus=draft.focus,
        conference=conference,
        guests=guests,
        refusal=refusal,
        outdated=outdated,
    )


def warn_of_time(form: BookingForm, meeting: Span | None) -> None:
    """Say what is wrong with the wished time before anybody tries to book it."""
    if meeting is None:
        return
    found = time_problems(meeting.start, meeting.end, now(), limits())
    complain_of(form, [problem for problem in found if problem in OF_THE_TIME])


def _blocked(studios: Sequence[Studio], meeting: Span) -> dict[int, Span]:
    return {studio.id: buffers_of(studio).around(meeting) for studio in studios}


def _meeting(form: BookingForm, conference: Conference | None) -> Span | None:
    if conference is None or not queries.is_under_way(conference):
        meeting = read_meeting(form)
        warn_of_time(form, meeting)
        return meeting
    end = read_new_end(form, conference.starts_at)
    return Span(conference.starts_at, end or conference.ends_at)


def _day(form: BookingForm) -> date:
    return read_date(text_of(form.date), today()) or today()


def chosen_studios(codes: Sequence[str]) -> dict[str, Studio]:
    """The studios behind what was chosen; a code that leads nowhere is missing."""
    return queries.studios_by_code([code for code in codes if is_code(code)])


def _seats(codes: Sequence[str]) -> list[Seat]:
    found = chosen_studios(codes)
    health = _health([studio for studio in found.values() if studio.endpoint])
    host = host_position(_is_steered(found.get(code)) for code in codes)
    return [
        Seat(code, found.get(code), health.get(code, Health.UNKNOWN), position == host)
        for position, code in enumerate(codes)
    ]


def _is_steered(studio: Studio | None) -> bool:
    return bool(studio and studio.endpoint and studio.endpoint.control_driver)


def _health(studios: Sequence[Studio]) -> dict[str, Health]:
    statuses = queries.statuses_of(studios)
    stale_after = timedelta(seconds=settings().stale_after)
    return {
        studio.code: present_health(status.health, status.last_poll_at, False, now(), stale_after)
        for studio in studios
        if (status := statuses.get(studio.id))
    }


def _fewest(conference: Conference | None) -> int:
    """How many parties there must be; a room that is only marked as used is alone."""
    return FEWEST_PARTIES if conference is None or conference.video else 1


def _verdict(form: BookingForm, seats: Sequence[Seat], day: Day, fewest: int) -> Badge:
    """In one line: can it be booked so?"""
    taken = sum(lane.clashes for lane in day.lanes)
    if any(field.errors for field in (form.date, form.start, form.duration, form.end)):
        return Badge("degraded", "degraded", _("This time cannot be booked"))
    if day.meeting is None:
        return Badge("idle", "clock", _("Type a date and a time"))
    if taken:
        word = ngettext("%(num)s studio is not free", "%(num)s studios are not free", taken)
        return Badge("down", "down", word)
    if len(day.lanes) < max(fewest, 1):
        return Badge("idle", "plus", _("Choose at least two studios"))
    ailing = sum(seat.health not in (Health.OK, Health.UNKNOWN) for seat in seats)
    if ailing:
        word = ngettext("All free, %(num)s with a fault now", "All free, %(num)s with faults now", ailing)
        return Badge("degraded", "degraded", word)
    if any(seat.health is Health.UNKNOWN for seat in seats):
        return Badge("ok", "ok", ngettext("%(num)s studio is free", "%(num)s studios are free", len(day.lanes)))
    return Badge("ok", "ok", ngettext("%(num)s studio free and well", "%(num)s studios free and well", len(day.lanes)))
