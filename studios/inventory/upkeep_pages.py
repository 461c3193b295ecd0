"""The pages /inventory: technicians add, change and retire studios, and bring in or take out the whole inventory."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user

from accounts.permissions import access, allow
from errors import Conflict, Forbidden, NotFound
from models import ControlDriver, Credential, OrganisationKind, Role, Site, SnmpVersion, Studio, db, write
from studios.inventory import upkeep
from studios.inventory.exporting import export_csv
from studios.inventory.importing import Outcome, import_inventory
from studios.inventory.queries import health_regions, studio_by_code
from studios.inventory.rules import COLUMNS, Reading, read_inventory
from studios.inventory.upkeep import OF_SITE, Trouble
from studios.inventory.wording import KINDS

CARETAKERS = (Role.TECHNICIAN, Role.ADMINISTRATOR)
LONGEST_CELL = 1000
# About three thousand studios; more are for the command line.
LARGEST_FILE = 900_000
FAULTS_SHOWN = 100

LABELS = {
    "code": _l("Code"),
    "name": _l("Name"),
    "site": _l("Site"),
    "organisation": _l("Organisation"),
    "organisation_kind": _l("Kind of organisation"),
    "health_region": _l("Health region"),
    "county": _l("County"),
    "municipality": _l("Municipality"),
    "town": _l("Town"),
    "latitude": _l("Latitude, degrees"),
    "longitude": _l("Longitude, degrees"),
    "capacity": _l("Seats"),
    "equipment": _l("Equipment"),
    "dial_address": _l("Called at"),
    "control_driver": _l("Steered by"),
    "control_url": _l("Steered at"),
    "control_credential": _l("Credential to steer with"),
    "snmp_host": _l("Watched at"),
    "snmp_port": _l("SNMP port"),
    "snmp_version": _l("SNMP version"),
    "snmp_credential": _l("Credential to watch with"),
}
HINTS = {
    "code": _l("Short and never changed, such as TRO-12."),
    "equipment": _l("With semicolons between, such as document camera; second screen."),
    "dial_address": _l("A SIP or H.323 address, or a number."),
    "control_url": _l("The codec's address, such as https://10.20.30.40."),
    "snmp_host": _l("An IP address or a host name; empty where it cannot be watched."),
}
DRIVERS = {driver: str(driver) for driver in ControlDriver}

blueprint = Blueprint("upkeep", __name__, url_prefix="/inventory")


@blueprint.route("/studios/new", methods=["GET", "POST"])
@allow(*CARETAKERS)
def new() -> ResponseReturnValue:
    """A new studio; an address fills in what is known of it already."""
    if request.method == "GET":
        return _form(None, {column: request.args.get(column, "")[:LONGEST_CELL] for column in COLUMNS})
    return _kept(None)


@blueprint.route("/studios/<code>", methods=["GET", "POST"])
@allow(*CARETAKERS)
def edit(code: str) -> ResponseReturnValue:
    """Change a studio, or move it to another site."""
    studio = _studio(code)
    if request.method == "GET":
        return _form(studio, upkeep.typed_of(studio))
    return _kept(studio)


@blueprint.route("/studios/<code>/retire", methods=["GET", "POST"])
@allow(*CARETAKERS)
def retire(code: str) -> ResponseReturnValue:
    """Ask, then take it out of use for good; or take one back that was retired."""
    studio = _studio(code)
    if request.method == "GET":
        return render_template("inventory/retire.html", studio=studio, refusal="")
    is_back, now, key = studio.retired_at is not None, datetime.now(UTC), studio.id

    def work() -> None:
        act = upkeep.take_back if is_back else upkeep.retire
        act(db.session.get_one(Studio, key, with_for_update=True), now, current_user.id)

    try:
        write(work)
    except Conflict as refused:
        return render_template("inventory/retire.html", studio=_studio(code), refusal=refused.message), 409
    flash(_("The studio is in use again.") if is_back else _("The studio is no longer in use."))
    return redirect(url_for("inventory.studio", code=code), 303)


@blueprint.get("/export")
@allow(*CARETAKERS)
def export() -> ResponseReturnValue:
    """All studios as a CSV file, which can be brought in again."""
    headers = {"Content-Disposition": f'attachment; filename="studios-{datetime.now(UTC):%Y-%m-%d}.csv"'}
    return Response(export_csv(), mimetype="text/csv", headers=headers)


@blueprint.route("/import", methods=["GET", "POST"])
@allow(Role.ADMINISTRATOR)
def bring_in() -> ResponseReturnValue:
    """A CSV file: first what it would change and what is wrong with it, then, when that was seen, the change."""
    if request.method == "GET":
        return _import_page()
    sent = request.files.get("file")
    content = (
        sent.read(LARGEST_FILE + 1) if sent else request.form.get("content", "").encode("utf-8", "surrogateescape")
    )
    if not content:
        return _import_page(refusal=_("Choose a file.")), 422
    if len(content) > LARGEST_FILE:
        return _import_page(
            refusal=_("The file is too large for a page. Use the command “studionett inventory import”.")
        ), 413
    reading, sure = read_inventory(content), "sure" in request.form
    outcome = _imported(reading) if sure else _looked_at(reading)
    if outcome.faults:
        return _import_page(outcome), 422
    if not sure:
        return _import_page(outcome, content=content.decode("utf-8-sig", "surrogateescape"))
    told = _("%(created)s created, %(changed)s changed, %(unchanged)s unchanged.", **vars(outcome))
    flash(told)
    return redirect(url_for("inventory.studios"), 303)


def _imported(reading: Reading) -> Outcome:
    return write(lambda: import_inventory(reading, datetime.now(UTC)))


def _looked_at(reading: Reading) -> Outcome:
    """What it would do, taken back again."""
    try:
        return import_inventory(reading, datetime.now(UTC))
    finally:
        db.session.rollback()


def _import_page(outcome: Outcome | None = None, content: str = "", refusal: str = "") -> str:
    return render_template(
        "inventory/import.html", outcome=outcome, content=content, refusal=refusal, columns=COLUMNS, most=FAULTS_SHOWN
    )


def _kept(studio: Studio | None) -> ResponseReturnValue:
    typed = _typed()
    if studio is not None:
        typed["code"] = studio.code
    try:
        row = upkeep.checked(typed)
        _check_right(row.organisation, row.site)
        write(lambda: upkeep.keep(row, datetime.now(UTC), is_new=studio is None))
    except Trouble as trouble:
        return _form(_studio(studio.code) if studio else None, typed, trouble), 422
    flash(_("%(studio)s is changed.", studio=row.name) if studio else _("%(studio)s is added.", studio=row.name))
    return redirect(url_for("inventory.studio", code=row.code), 303)


def _typed() -> dict[str, str]:
    """As typed; of a site that is known its place is known, too."""
    typed = {column: request.form.get(column, "")[:LONGEST_CELL] for column in COLUMNS}
    site = upkeep.site_called(typed["site"].strip(), typed["organisation"].strip())
    return {**typed, **upkeep.typed_of_site(site)} if site else typed


def _check_right(organisation: str, site: str) -> None:
    """For a site that is there those who look after its organisation; a new one is added by those who look after all
    of the organisation, which must be there."""
    found = upkeep.site_called(site, organisation)
    key = found.organisation_id if found else upkeep.organisation_id(organisation)
    if not access().covers(key, *CARETAKERS):
        raise Forbidden(_("Only those who look after the studios of this organisation can change them."))


def _form(studio: Studio | None, typed: Mapping[str, str], trouble: Trouble | None = None) -> str:
    return render_template(
        "inventory/edit.html",
        studio=studio,
        typed=typed,
        trouble=trouble,
        labels=LABELS,
        hints=HINTS,
        of_site=OF_SITE,
        choices=_choices(),
        sites=_sites(),
    )


def _choices() -> dict[str, list[tuple[str, Any]]]:
    """By column what can be chosen, as (value, word); other columns are typed."""
    names = [(name, name) for name in db.session.scalars(db.select(Credential.name).order_by(Credential.name))]
    none = [("", _("none"))]
    return {
        "organisation_kind": [(str(kind), word) for kind, word in KINDS.items() if kind in OrganisationKind],
        "health_region": [(region, region) for region in health_regions()],
        "control_driver": none + [(str(driver), word) for driver, word in DRIVERS.items()],
        "control_credential": none + names,
        "snmp_version": [(str(version), f"v{version}") for version in SnmpVersion],
        "snmp_credential": none + names,
    }


def _sites() -> list[Site]:
    return list(db.session.scalars(db.select(Site).order_by(Site.name, Site.id)))


def _studio(code: str) -> Studio:
    found = studio_by_code(code)
    if found is None:
        raise NotFound(_("There is no studio with the code %(code)s.", code=code[:40]))
    if not access().covers(found.site.organisation_id, *CARETAKERS):
        raise Forbidden(_("Only those who look after the studios of this organisation can change them."))
    return found
