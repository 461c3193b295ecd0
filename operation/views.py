"""How the program itself is doing: for those who run it a page, for their tools an address, for everybody an alarm."""

from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Flask, Response, current_app, render_template
from flask.typing import ResponseReturnValue

from accounts.permissions import EVERY_ROLE, allow, polled, public
from config import settings
from messages.queries import backlog
from models import Role, db
from operation import wording
from operation.queries import database_kind, database_size, last_beats, processes
from operation.readiness import READY, Readiness, newest_version, tables_version
from operation.rules import NEEDED, Kind, silences
from reports.rules import night_after

CARETAKERS = (Role.TECHNICIAN, Role.ADMINISTRATOR)
UNREADY = 503

blueprint = Blueprint("operation", __name__)


def init_app(app: Flask, patience: float) -> None:
    """`patience`: how many seconds a database may take to answer whether all is ready."""
    app.register_blueprint(blueprint)
    app.extensions["serving_since"] = datetime.now(UTC)
    app.extensions["readiness"] = Readiness(app, patience)
    app.add_url_rule("/readyz", view_func=readyz)
    app.jinja_env.globals.update(alarms=alarms, caretakers=CARETAKERS)


@public
def readyz() -> Response:
    """Whether this process can do its work, for what stands in front to decide whom to ask."""
    found: Readiness = current_app.extensions["readiness"]
    lacking = found.unready()
    return Response(lacking or READY, status=UNREADY if lacking else 200, mimetype="text/plain")


@blueprint.get("/operation/processes")
@allow(*CARETAKERS)
def overview() -> ResponseReturnValue:
    return render_template("operation/processes.html", **_found())


@blueprint.get("/operation/processes/now")
@allow(*CARETAKERS)
@polled
def now() -> ResponseReturnValue:
    """The part of the page that asks for itself anew."""
    return render_template("operation/_processes.html", **_found())


@blueprint.get("/operation/alarms")
@allow(*EVERY_ROLE)
@polled
def alarms_now() -> ResponseReturnValue:
    """The alarms of a page that is left open."""
    return render_template("operation/_alarms.html", keeps_alarms=True)


def alarms() -> list[str]:
    """What every page says to those who are signed in when nothing works on the calls or watches the studios."""
    beats, present = last_beats()
    serving_for = datetime.now(UTC) - current_app.extensions["serving_since"]
    return [wording.alarm(one, present) for one in silences(beats, present, serving_for)]


def _found() -> dict[str, Any]:
    found, present = processes()
    there = {process.kind for process in found}
    return {
        "processes": found,
        "missing": [kind for kind in NEEDED if kind not in there],
        "now": present,
        "wording": wording,
        "Kind": Kind,
        "backlog": backlog(),
        "database": database_kind(),
        "size": database_size(),
        "tables": tables_version(db.session.connection()),
        "newest": newest_version(),
        "version": version("studionett"),
        "next_report": _next_night(present),
    }


def _next_night(now: datetime) -> datetime:
    """When the next report is due."""
    zone = settings().zone
    today = now.astimezone(ZoneInfo(zone)).date()
    return min(at for day in (today - timedelta(days=1), today) if (at := night_after(day, zone)) > now)
