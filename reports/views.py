"""The pages /reports/ and /reports/<day>, its long lists, and the file for spreadsheets."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from accounts.permissions import EVERY_ROLE, allow
from config import settings
from errors import NotFound
from models import OrganisationKind
from reports import charts, figures, page, table, trends, wording
from reports.periods import Kind, Period, containing
from reports.rules import night_after
from studios.inventory.wording import KINDS

DAYS_LISTED = 7
LINES_ON_A_PAGE = 50
EARLIEST, LATEST = date(2000, 1, 1), date(2100, 1, 1)

blueprint = Blueprint("reports", __name__, url_prefix="/reports")


@blueprint.get("/")
@allow(*EVERY_ROLE)
def index() -> ResponseReturnValue:
    """The week of the newest report, and the latest days."""
    newest = trends.newest_day()
    if newest is None:
        return render_template("reports/none.html")
    return _report(newest, containing(Kind.WEEK, newest), latest=trends.latest_days(DAYS_LISTED))


@blueprint.get("/<day>")
@allow(*EVERY_ROLE)
def report(day: str) -> ResponseReturnValue:
    chosen = _day(day)
    return _report(chosen, _period(chosen))


@blueprint.get("/<day>/studios")
@allow(*EVERY_ROLE)
def studios(day: str) -> ResponseReturnValue:
    """Every studio, a page at a time, in the order of the column asked for."""
    return _list(day, "reports/studios.html", figures.studios, "used")


@blueprint.get("/<day>/organisations")
@allow(*EVERY_ROLE)
def organisations(day: str) -> ResponseReturnValue:
    return _list(day, "reports/organisations.html", figures.organisations, "used")


@blueprint.get("/<day>.csv")
@allow(*EVERY_ROLE)
def file(day: str) -> ResponseReturnValue:
    """The whole network; regions are lines of it."""
    period = _period(_day(day))
    if page.scope_of(period, None) is None:
        raise NotFound(_("No day of this period has a report yet."))
    answer = Response(table.csv_of(period.first, period.last), mimetype="text/csv")
    answer.headers.set("Content-Disposition", "attachment", filename=table.file_name(period.first, period.last))
    return answer


@blueprint.context_processor
def _vocabulary() -> dict[str, object]:
    return {
        **wording.vocabulary(),
        "charts": charts,
        "kind_name": lambda kind: KINDS[OrganisationKind(kind)],
        "as_booked_share": page.as_booked_share,
        "PERIODS": wording.PERIODS,
    }


def _report(day: date, period: Period, latest: list[trends.DayLine] | None = None) -> ResponseReturnValue:
    scope = page.scope_of(period, request.args.get("region"))
    if scope is None:
        return _missing(day, period)
    order = "deviation" if request.args.get("sort") == "deviation" else "used"
    found = page.report_page(scope, order, settings().zone)
    return render_template(
        "reports/report.html",
        page=found,
        day=day,
        period=period,
        order=order,
        latest=latest,
        has_next=period.last < _today(),
        address=_addresses(day, period, region=found.scope.region, sort="deviation" if order == "deviation" else None),
    )


def _list(day: str, template: str, subjects: Any, usual_order: str) -> ResponseReturnValue:
    chosen = _day(day)
    period, region = _period(chosen), request.args.get("region")
    scope = page.scope_of(period, region)
    if scope is None:
        return _missing(chosen, period)
    order = request.args.get("sort", usual_order)
    found = page.ordered(subjects(period.first, period.last, region), order)
    pages = max(1, -(-len(found) // LINES_ON_A_PAGE))
    number = min(max(1, request.args.get("page", 1, type=int)), pages)
    shown = found[(number - 1) * LINES_ON_A_PAGE : number * LINES_ON_A_PAGE]
    return render_template(
        template,
        scope=scope,
        day=chosen,
        period=period,
        region=region,
        order=order,
        rooms=[page.room(subject, page.open_hours_of(scope)) for subject in shown],
        open_hours=page.open_hours_of(scope),
        total=len(found),
        number_of_page=number,
        pages=pages,
        first_rank=(number - 1) * LINES_ON_A_PAGE + 1,
        address=_addresses(chosen, period, region=region, sort=order),
        page_address=lambda wanted: url_for(
            str(request.endpoint), day=chosen, period=period.kind, region=region, sort=order, page=wanted
        ),
    )


def _missing(day: date, period: Period) -> ResponseReturnValue:
    """Why there is no report of the period, and where there is one."""
    night = night_after(period.first, settings().zone)
    state = "future" if period.first > _today() else "coming" if night > datetime.now(UTC) else "past"
    shown = render_template(
        "reports/missing.html",
        day=day,
        period=period,
        state=state,
        newest=trends.newest_day(),
        made_on=period.first + timedelta(days=1),
        command=f"studionett report {period.first}",
        address=_addresses(day, period),
    )
    return shown, 404


def _addresses(day: date, period: Period, **given: object) -> Any:
    """Links of the page: what is named changes, the rest of what was chosen stays."""

    def address(endpoint: str = "reports.report", **changes: object) -> str:
        chosen = {"day": day, "period": period.kind, **given, **changes}
        if chosen["period"] == Kind.DAY:
            chosen.pop("period")
        return url_for(endpoint, **{name: value for name, value in chosen.items() if value})  # type: ignore[arg-type]

    return address


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise NotFound(_("A report is named by its day, like 2026-11-21.")) from None
    if not EARLIEST <= day < LATEST:
        raise NotFound(_("There is no report of so distant a day."))
    return day


def _period(day: date) -> Period:
    text = request.args.get("period", "")
    return containing(Kind(text) if text in list(Kind) else Kind.DAY, day)


def _today() -> date:
    return datetime.now(ZoneInfo(settings().zone)).date()
