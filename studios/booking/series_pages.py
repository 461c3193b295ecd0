"""The meetings of a series on one page: what an edit of this one, the following or all would do, then doing it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from accounts.permissions import allow
from config import settings
from errors import Conflict, NotFound
from models import Conference, write
from studios.booking import queries
from studios.booking.api.reading import BOOKERS
from studios.booking.api.rights import own_conference, person
from studios.booking.explaining import obstacle_sentence
from studios.booking.forms import problem_sentence
from studios.booking.obstacles import WishRefused
from studios.booking.pages import refusal_text, seen_version
from studios.booking.rules import TimeDoesNotExist, TimeIsAmbiguous, instant
from studios.booking.series import members
from studios.booking.series.edit_previews import EditLine, EditRefused, SeriesChange, preview_edit
from studios.booking.series.editing import cancel_series, edit_series
from studios.booking.series.edits import Kept, Scope
from studios.booking.series.recurrence import Recurrence
from studios.booking.series.wording import describe
from studios.booking.typed import read_minutes, read_time
from studios.booking.wording import Badge, state_badge

SCOPES = {
    Scope.THIS: _l("This meeting only"),
    Scope.FOLLOWING: _l("This and those that follow"),
    Scope.ALL: _l("All of the series"),
}
KEPT = {
    Kept.CANCELLED: _l("Cancelled, stays so"),
    Kept.OVER: _l("Over, stays as it was"),
    Kept.UNDER_WAY: _l("Under way, stays as it is"),
    Kept.DETACHED: _l("Was moved by itself, keeps its time and studios"),
    Kept.DOES_NOT_EXIST: _l("Its new time does not exist that night, keeps its old one"),
}

blueprint = Blueprint("series_pages", __name__, url_prefix="/conferences/<reference>/series")


@dataclass(frozen=True)
class Typed:
    """What stands on the form; empty for what stays."""

    scope: Scope
    title: str
    start: str
    minutes: str


@dataclass(frozen=True)
class Line:
    """A meeting as the edit leaves it."""

    line: EditLine
    badge: Badge
    reasons: list[str]


@blueprint.get("")
@allow(*BOOKERS)
def page(reference: str) -> ResponseReturnValue:
    return _page(_own(reference), Typed(Scope.FOLLOWING, "", "", ""))


@blueprint.post("")
@allow(*BOOKERS)
def change(reference: str) -> ResponseReturnValue:
    """Show what it would do; with `save`, do it."""
    found, typed = _own(reference), _typed()
    wanted = _change(found, typed)
    if isinstance(wanted, str):
        return _page(found, typed, problem=wanted), 422
    key, seen = found.id, seen_version()
    try:
        if "save" not in request.form:
            return _page(found, typed, lines=_lines(preview_edit(key, typed.scope, wanted, person()).lines))
        done = write(lambda: edit_series(key, typed.scope, wanted, seen, person()))
    except EditRefused as refused:
        return _page(_own(reference), typed, lines=_lines(refused.lines), problem=refused.message), refused.status
    except WishRefused as refused:
        return _page(_own(reference), typed, problem=refusal_text(refused)), refused.status
    except Conflict as refused:
        return _page(_own(reference), typed, problem=refused.message), refused.status
    number = len(done.conferences)
    flash(ngettext("%(num)s meeting is changed.", "%(num)s meetings are changed.", number))
    return redirect(url_for(".page", reference=reference), 303)


@blueprint.post("/cancel")
@allow(*BOOKERS)
def cancel(reference: str) -> ResponseReturnValue:
    """Ask first, naming how many; with `sure`, give them up."""
    found, typed = _own(reference), _typed()
    if "sure" not in request.form:
        inside = members.read(found.id, typed.scope)
        number = sum(each.stage == "planned" for each in inside.members)
        return render_template(
            "booking/cancel_series.html", conference=found, scope=typed.scope, number=number, word=SCOPES[typed.scope]
        )
    key, seen = found.id, seen_version()
    try:
        done = write(lambda: cancel_series(key, typed.scope, seen, person()))
    except Conflict as refused:
        return _page(_own(reference), typed, problem=refused.message), refused.status
    number = len(done.conferences)
    flash(ngettext("%(num)s meeting is cancelled.", "%(num)s meetings are cancelled.", number))
    return redirect(url_for("booking.conference", reference=reference), 303)


def _typed() -> Typed:
    scope = request.form.get("scope", "")
    fields = {name: request.form.get(name, "").strip() for name in ("title", "start", "minutes")}
    return Typed(Scope(scope) if scope in set(Scope) else Scope.THIS, **fields)


def _change(found: Conference, typed: Typed) -> SeriesChange | str:
    """What is asked, or a sentence that says why it makes no sense."""
    start, minutes = None, None
    if typed.start:
        wall = read_time(typed.start)
        if wall is None:
            return _("Type a start such as 09:30.")
        zone = ZoneInfo(settings().zone)
        try:
            start = instant(found.starts_at.astimezone(zone).date(), wall, zone)
        except (TimeDoesNotExist, TimeIsAmbiguous):
            return _("This time does not exist, or comes twice, on the day of this meeting. Choose another.")
        start = None if start == found.starts_at else start
    if typed.minutes:
        minutes = read_minutes(typed.minutes)
        if minutes is None:
            return _("Type how many minutes it lasts, such as 45.")
        minutes = None if timedelta(minutes=minutes) == found.ends_at - found.starts_at else minutes
    if start is None and minutes is None and not typed.title:
        return _("Type what shall be different: a title, a start or a duration.")
    return SeriesChange(start=start, minutes=minutes, title=typed.title or None)


def _lines(found: tuple[EditLine, ...]) -> list[Line]:
    return [Line(line, _badge(line), _reasons(line)) for line in found]


def _badge(line: EditLine) -> Badge:
    if line.is_in_the_way:
        return Badge("down", "down", _("Not possible"))
    if not line.changed:
        return Badge("unknown", "level", _("Stays"))
    return Badge("ok", "ok", _("Changes"))


def _reasons(line: EditLine) -> list[str]:
    found = [obstacle_sentence(each) for each in line.obstacles] + [problem_sentence(each) for each in line.problems]
    return [*found, *([str(KEPT[line.outcome.kept])] if line.outcome.kept else [])]


def _page(found: Conference, typed: Typed, lines: list[Line] | None = None, problem: str = "") -> str:
    series = found.series
    assert series is not None
    recurrence = Recurrence(series.rule, series.first_day, series.start_time, series.minutes, series.zone)
    every = queries.conferences_of_series(series.id)
    return render_template(
        "booking/series.html",
        conference=found,
        words=describe(recurrence),
        every=every,
        ahead=sum(each.starts_at > datetime.now(UTC) and each.state == "planned" for each in every),
        scopes=SCOPES,
        typed=typed,
        lines=lines,
        can_be_made=lines is not None
        and any(each.line.changed for each in lines)
        and not any(each.line.is_in_the_way for each in lines),
        problem=problem,
        state_badge=state_badge,
    )


def _own(reference: str) -> Conference:
    """A meeting of a series that the person may change."""
    found = own_conference(reference)
    if found.series_id is None:
        raise NotFound(_("There is no series with a meeting %(reference)s.", reference=reference[:40]))
    return found
