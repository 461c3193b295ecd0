"""One studio added, changed, retired or taken back by hand, by the rules of inventory files. The caller commits."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import ngettext

from accounts.audit import record
from errors import Conflict
from models import Conference, Event, Organisation, Reservation, Site, Studio, db
from studios.inventory.cells import CHECKS, Unfit, clean
from studios.inventory.exporting import cells, studio_rows
from studios.inventory.importing import import_inventory
from studios.inventory.rules import COLUMNS, SITE_COLUMNS, Reading, StudioRow, key_of

# The only line of a file with one row.
LINE = 2
OF_SITE = ("organisation_kind", *SITE_COLUMNS)


@dataclass
class Trouble(Exception):
    """What is wrong with what was typed: by column, and of the whole."""

    by_column: Mapping[str, str]
    whole: tuple[str, ...] = ()


def typed_of(studio: Studio) -> dict[str, str]:
    """The studio as a row of text, by column; a retired one has none."""
    found = next((row for row in studio_rows() if row.code == studio.code), None)
    return dict(zip(COLUMNS, cells(found), strict=True)) if found else {}


def typed_of_site(site: Site) -> dict[str, str]:
    """What a new studio at this site says of it."""
    return {
        "site": site.name,
        "organisation": site.organisation.name,
        "organisation_kind": site.organisation.kind,
        "health_region": site.health_region,
        "county": site.county,
        "municipality": site.municipality,
        "town": site.town,
        "latitude": f"{site.latitude:g}",
        "longitude": f"{site.longitude:g}",
    }


def site_called(name: str, organisation: str) -> Site | None:
    query = db.select(Site).join(Organisation, Organisation.id == Site.organisation_id)
    found: Site | None = db.session.scalar(query.where(Site.name == name, Organisation.name == organisation))
    return found


def organisation_id(name: str) -> int | None:
    return db.session.scalar(sa.select(Organisation.id).where(Organisation.name == name))


def checked(typed: Mapping[str, str]) -> StudioRow:
    """Raises Trouble with a reason for each column that is wrong."""
    values, wrong = {}, {}
    for column, check in CHECKS.items():
        try:
            values[column] = check(clean(typed.get(column, "")))
        except Unfit as error:
            wrong[column] = str(error)
    if values.get("control_driver") and values.get("control_url") == "":
        wrong["control_url"] = _("is empty, but the control driver needs it")
    if wrong:
        raise Trouble(wrong)
    return StudioRow(**values)


def keep(row: StudioRow, now: datetime, *, is_new: bool) -> None:
    """Raises Trouble, or Conflict where another studio has the code by now."""
    if is_new and db.session.scalar(sa.select(Studio.id).where(sa.func.lower(Studio.code) == key_of(row.code))):
        raise Trouble({"code": _("There is a studio with this code already.")})
    outcome = import_inventory(Reading({LINE: row}), now)
    if outcome.faults:
        found = [fault.reason.partition(": ") for fault in outcome.faults]
        known = {column: reason for column, _colon, reason in found if column in CHECKS}
        raise Trouble(known, tuple("".join(each) for each in found if each[0] not in CHECKS))


def retire(studio: Studio, now: datetime, person_id: int) -> None:
    """Out of use for good; what it did stays in the reports. Raises Conflict while something is booked there."""
    booked = db.session.scalar(
        sa.select(sa.func.count())
        .select_from(Reservation)
        .join(Conference, Conference.id == Reservation.conference_id)
        .where(Reservation.studio_id == studio.id, Reservation.released_at.is_(None), Reservation.ends_at > now)
    )
    if booked:
        raise Conflict(
            ngettext(
                "%(num)s conference is booked there. Take the studio out of use first, and move it.",
                "%(num)s conferences are booked there. Take the studio out of use first, and move them.",
                booked,
            )
        )
    if studio.retired_at is not None:
        raise Conflict(_("This studio is no longer in use."))
    studio.retired_at = now
    _tell("studio.retired", studio, now, person_id)


def take_back(studio: Studio, now: datetime, person_id: int) -> None:
    """Into use again, as it was. Raises Conflict."""
    if studio.retired_at is None:
        raise Conflict(_("This studio is in use."))
    studio.retired_at = None
    _tell("studio.taken_back", studio, now, person_id)


def _tell(kind: str, studio: Studio, now: datetime, person_id: int) -> None:
    db.session.add(Event(at=now, kind=kind, studio_id=studio.id, account_id=person_id, details={}))
    record(kind, studio.code)
