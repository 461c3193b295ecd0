"""The page /studios/<code>/quality-test, on which a technician writes down what a test found."""

from dataclasses import fields
from datetime import date, datetime
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user

from accounts.permissions import access, allow
from config import settings
from errors import Forbidden, Invalid, NotFound
from models import Role, Studio, write
from studios.inventory import queries
from studios.inventory.quality import LONGEST_NOTE, Found, last_test, record_test

CARETAKERS = (Role.TECHNICIAN, Role.ADMINISTRATOR)
CHECKS = {
    "picture": _l("Picture: sharp, the whole room, the right colours"),
    "sound_out": _l("Sound from here is heard well at the other end"),
    "sound_in": _l("Sound from the other end is heard well here"),
    "no_echo": _l("No echo at either end"),
    "network": _l("Network: no loss that is seen or heard in ten minutes"),
}

blueprint = Blueprint("quality", __name__, url_prefix="/studios")


@blueprint.route("/<code>/quality-test", methods=["GET", "POST"])
@allow(*CARETAKERS)
def test(code: str) -> ResponseReturnValue:
    """The form, and what comes of it."""
    studio = queries.studio_by_code(code)
    if studio is None:
        raise NotFound(_("There is no studio with the code %(code)s.", code=code[:40]))
    if not access().covers(studio.site.organisation_id, *CARETAKERS):
        raise Forbidden(_("Only those who look after the studios of this organisation can test them."))
    today = datetime.now(ZoneInfo(settings().zone)).date()
    if request.method == "GET":
        return _page(studio, today.isoformat(), today)
    day = request.form.get("tested_on", "")
    try:
        tested_on, found, note = _day(day), _found(), request.form.get("note", "")
        passed = write(lambda: record_test(studio, tested_on, found, note, current_user, today).passed)
    except Invalid as refused:
        return _page(studio, day, today, refused), 422
    flash(_("The test is written down: passed.") if passed else _("The test is written down: not passed."))
    return redirect(url_for("inventory.studio", code=code), 303)


def _page(studio: Studio, day: str, today: date, refused: Invalid | None = None) -> str:
    return render_template(
        "inventory/quality_test.html",
        studio=studio,
        day=day,
        today=today,
        checks=CHECKS,
        ticked={name for name in CHECKS if name in request.form},
        note=request.form.get("note", ""),
        longest=LONGEST_NOTE,
        refused=refused,
        last=last_test(studio),
    )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid(_("Write the day as in 2026-11-26."), "tested_on") from None


def _found() -> Found:
    return Found(**{each.name: each.name in request.form for each in fields(Found)})
