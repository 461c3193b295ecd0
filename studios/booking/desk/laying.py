"""The whole page of a request: everything that it shows, read in a handful of queries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from flask_babel import gettext as _
from flask_babel import ngettext

from accounts.permissions import access
from models import Account, Conference, Organisation, Purpose
from studios.booking import queries
from studios.booking.candidates import Candidate
from studios.booking.conferences import limits
from studios.booking.desk.cards import Card, cards_of
from studios.booking.desk.choices import Choice, choices
from studios.booking.desk.effects import Effect, changes, effects
from studios.booking.desk.finder import Hit
from studios.booking.desk.hindrances import Hindrance, hindrances
from studios.booking.desk.outlook import Outlook, Wish, look_out
from studios.booking.desk.parties import Place, places
from studios.booking.desk.presses import Draft, move_to
from studios.booking.desk.repeats import Repeats, repeats_of
from studios.booking.desk.timeline import Shown, Timeline, day_of, draw
from studios.booking.drawing import own_of
from studios.booking.finding.seats import Seating
from studios.booking.forms import (
    ANY_TIME,
    BookingForm,
    complain_of,
    now,
    read_hours,
    read_meeting,
    read_new_end,
    read_wished,
    shown_as,
    text_of,
    today,
    zone,
)
from studios.booking.rules import FEWEST_PARTIES, Problem, time_problems
from studios.booking.typed import read_date
from studios.booking.wishes import Booking, PartyWish, StudioWish
from studios.booking.wording import Badge
from studios.calendars.rules import Span, window_around

# A draft that is still being filled in is told of these at once; of the others when it is sent.
OF_THE_TIME = {Problem.START_IN_THE_PAST, Problem.TOO_SOON, Problem.TOO_FAR_AHEAD, Problem.TOO_LONG}
NO_SUCH_STUDIO = StudioWish(0)
NO_TITLE = "–"
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Desk:
    """`meeting`: the chosen time, where it makes sense; `held`: with the buffers of its rooms. `cards` by studio.
    `refusal`: why the last attempt to save failed, as one sentence, where it did."""

    form: BookingForm
    places: Sequence[Place]
    opened: Sequence[str]
    hits: Sequence[Hit] | None
    recent: Sequence[Hit]
    organisations: Sequence[Organisation]
    timeline: Timeline
    meeting: Span | None
    held: Span | None
    rooms: Sequence[Candidate | None]
    cards: Mapping[int, Card]
    hindrances: Sequence[Hindrance]
    choices: Sequence[Choice]
    effects: Sequence[Effect]
    changes: Sequence[str]
    repeats: Repeats | None
    verdict: Badge
    told: str
    focus: str
    conference: Conference | None
    is_week: bool = False
    draft_id: int | None = None
    refusal: str = ""
    outdated: bool = False
    seats: Sequence[str] = field(default_factory=list)

    @property
    def running(self) -> bool:
        """Whether only the title and the end are open."""
        return self.conference is not None and queries.is_under_way(self.conference)

    @property
    def counted(self) -> str:
        """The duration, as typed, where that and no end decides how long it lasts."""
        return "" if text_of(self.form.end) else text_of(self.form.duration)

    @property
    def shown_cards(self) -> list[Card]:
        """Of the studios that the meeting would get."""
        return [self.cards[room.id] for room in self.rooms if room and room.id in self.cards]

    @property
    def problems(self) -> list[tuple[str, str]]:
        """Each sentence with the control that it is about, in the order of the page."""
        return [(each.id, str(error)) for each in self.form for error in each.errors]

    @property
    def first_host(self) -> int | None:
        """The place of the studio that hosts the call."""
        return next((place for place, room in enumerate(self.rooms) if room and room.steered), None)


def lay_out(
    draft: Draft,
    person: Account,
    organisations: Sequence[Organisation],
    conference: Conference | None = None,
    refusal: str = "",
    outdated: bool = False,
    draft_id: int | None = None,
) -> Desk:
    """Read what the page shows of a draft. `conference` is the one that is being changed."""
    form, own, at = draft.form, own_of(person), now()
    rows = places(draft.parties, draft.network)
    wishes = [place.wish or NO_SUCH_STUDIO for place in rows]
    meeting = _meeting(form, conference)
    day = day_of(meeting.start, zone()) if meeting else _day(form)
    wish = _wish(form, wishes, meeting, day, conference)
    outlook = look_out(wish, draft.network.rooms, own, zone()) if rows else None
    if outlook and (best := _best(draft, rows, outlook)):
        move_to(form, best.start)
        meeting, day = best, day_of(best.start, zone())
        seating = Seating(outlook.suggestions[0].rooms, outlook.suggestions[0].remarks)
        outlook = Outlook(outlook.posed, seating, None, None, outlook.suggestions)
    wished = read_wished(form)
    shown = Shown(day, draft.is_week, meeting, _wished_span(wished, meeting), zone())
    timeline = draw(shown, rows, outlook, draft.opened, access())
    rooms = [outlook.studios.get(key or 0) for key in outlook.rooms] if outlook else []
    cards = cards_of(_pictured(timeline, rooms), at)
    in_the_way = hindrances(outlook, rows, meeting) if outlook and meeting else []
    repeats = _repeats(draft, wishes, rows, meeting, person) if conference is None else None
    can_be = meeting is not None and not in_the_way
    form.shown.data = shown_as(form)
    return Desk(
        form=form,
        places=rows,
        opened=[value for value in draft.opened if value in {place.value for place in rows}],
        hits=draft.hits,
        recent=draft.recent,
        organisations=organisations,
        timeline=timeline,
        meeting=meeting,
        held=_held(rooms, meeting),
        rooms=rooms,
        cards=cards,
        hindrances=in_the_way,
        choices=_choices(form, rows, outlook, meeting),
        effects=effects(rows, outlook.rooms, outlook.studios, own) if outlook and can_be else [],
        changes=changes(conference, meeting, outlook.rooms, outlook.studios)
        if conference and outlook and meeting and can_be
        else [],
        repeats=repeats,
        verdict=_verdict(form, meeting, in_the_way, rooms, cards, len(rows)),
        told=draft.told,
        focus=draft.focus,
        conference=conference,
        is_week=draft.is_week,
        draft_id=draft_id,
        refusal=refusal,
        outdated=outdated,
        seats=[room.code if room else "" for room in rooms],
    )


def warn_of_time(form: BookingForm, meeting: Span | None) -> None:
    """Say what is wrong with the wished time before anybody tries to book it."""
    if meeting is None:
        return
    found = time_problems(meeting.start, meeting.end, now(), limits())
    complain_of(form, [problem for problem in found if problem in OF_THE_TIME])


def _meeting(form: BookingForm, conference: Conference | None) -> Span | None:
    if conference is None or not queries.is_under_way(conference):
        meeting = read_meeting(form)
        warn_of_time(form, meeting)
        return meeting
    end = read_new_end(form, conference.starts_at)
    return Span(conference.starts_at, end or conference.ends_at)


def _day(form: BookingForm) -> date:
    return read_date(text_of(form.date), today()) or today()


def _wish(
    form: BookingForm, wishes: Sequence[PartyWish], meeting: Span | None, day: date, conference: Conference | None
) -> Wish:
    window = window_around(day, meeting, zone()).span
    there = meeting or Span(window.start + 2 * HOUR, window.start + 3 * HOUR)
    preferred = read_wished(form) or there.start
    shown = Shown(day, form.view.data == "week", meeting, None, zone()).span
    running = conference is not None and queries.is_under_way(conference)
    return Wish(
        parties=wishes,
        purpose=_purpose(form),
        video=not form.marked.data,
        meeting=there,
        preferred=preferred,
        hours=_hours(form, meeting),
        shown=shown,
        moved_id=conference.id if conference else None,
        at=min(now(), there.start) if running else now(),
        only_here=running,
    )


def _hours(form: BookingForm, meeting: Span | None) -> tuple[time, time]:
    """The typed hours, and as far beyond them as the meeting that somebody chose."""
    earliest, latest = read_hours(form)
    if meeting is None or form.wished.data == ANY_TIME:
        return earliest, latest
    start, end = (each.astimezone(zone()) for each in (meeting.start, meeting.end))
    if start.date() != end.date():
        return time(), time()  # over midnight: the whole day
    return min(earliest, start.time()), max(latest, end.time())


def _purpose(form: BookingForm) -> Purpose:
    return Purpose(form.purpose.data) if form.purpose.data in set(Purpose) else Purpose.ADMINISTRATION


def _best(draft: Draft, rows: Sequence[Place], outlook: Outlook) -> Span | None:
    """Where the meeting goes by itself, as long as nobody has said anything of the time."""
    if draft.form.wished.data != ANY_TIME or len(rows) < _fewest(draft.form) or not outlook.suggestions:
        return None
    best = outlook.suggestions[0]
    return None if best.shortened else Span(best.start, best.end)


def _wished_span(wished: datetime | None, meeting: Span | None) -> Span | None:
    if wished is None or meeting is None or wished == meeting.start:
        return None
    return Span(wished, wished + meeting.length)


def _pictured(timeline: Timeline, rooms: Sequence[Candidate | None]) -> list[Candidate]:
    """The studios that the page shows by name."""
    lanes = [lane for row in timeline.rows for lane in ([row.lane] if row.lane else row.lanes)]
    found = [*(lane.room for lane in lanes), *(room for room in rooms if room)]
    return list({room.id: room for room in found}.values())


def _held(rooms: Sequence[Candidate | None], meeting: Span | None) -> Span | None:
    """The time that the rooms are held, buffers counted in; none when that is the meeting's own time."""
    seated = [room for room in rooms if room]
    if meeting is None or not seated:
        return None
    held = meeting.widened(max(room.setup for room in seated), max(room.clear_down for room in seated))
    return held if held != meeting else None


def _repeats(
    draft: Draft, wishes: Sequence[PartyWish], rows: Sequence[Place], meeting: Span | None, person: Account
) -> Repeats | None:
    """The series that the form asks for, as soon as it has a time and parties."""
    form = draft.form
    if not form.repeat.data or meeting is None or len(wishes) < _fewest(form) or NO_SUCH_STUDIO in wishes:
        return None
    title = (form.title.data or "").strip() or NO_TITLE
    booking = Booking(
        title[:80], _purpose(form), 0, meeting.start, meeting.end, tuple(wishes), video=not form.marked.data
    )
    return repeats_of(form, booking, rows, draft.chosen, person, zone(), draft.settles)


def _choices(
    form: BookingForm, rows: Sequence[Place], outlook: Outlook | None, meeting: Span | None
) -> Sequence[Choice]:
    if outlook is None or len(rows) < _fewest(form):
        return []
    return choices(outlook, rows, meeting, form.wished.data != ANY_TIME)


def _fewest(form: BookingForm) -> int:
    """How many parties there must be; a room that is only marked as used is alone."""
    return 1 if form.marked.data else FEWEST_PARTIES


def _verdict(
    form: BookingForm,
    meeting: Span | None,
    in_the_way: Sequence[Hindrance],
    rooms: Sequence[Candidate | None],
    cards: Mapping[int, Card],
    number: int,
) -> Badge:
    """In one line: can it be booked so?"""
    if any(field.errors for field in (form.date, form.start, form.duration, form.end)):
        return Badge("degraded", "degraded", _("This time cannot be booked"))
    if meeting is None:
        return Badge("idle", "clock", _("Type a date and a time"))
    if in_the_way:
        return Badge("down", "down", _("This time is not free for all"))
    if number < _fewest(form):
        missing = _("Choose at least two parties") if _fewest(form) > 1 else _("Choose a studio")
        return Badge("idle", "plus", missing)
    seated = [cards[room.id] for room in rooms if room and room.id in cards]
    ailing = sum(card.is_ailing for card in seated)
    if ailing:
        word = ngettext("All free, %(num)s with a fault now", "All free, %(num)s with faults now", ailing)
        return Badge("degraded", "degraded", word)
    if any(card.health == "unknown" for card in seated):
        return Badge("ok", "ok", ngettext("%(num)s studio is free", "%(num)s studios are free", len(seated)))
    return Badge("ok", "ok", ngettext("%(num)s studio free and well", "%(num)s studios free and well", len(seated)))
