"""The last minutes: those in the rooms are told on their screens, and go on by themselves while nobody else comes."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import structlog
from flask_babel import force_locale, ngettext
from flask_babel import gettext as _

from accounts.language import DEFAULT_LANGUAGE
from config import settings
from devices.errors import DeviceError
from errors import Refused
from models import LegState, Wanted, write
from scheduler.conference_rules import due_warning, may_go_on
from scheduler.drivers.interface import Panel
from scheduler.equipment import Equipment
from scheduler.leases import Lease
from scheduler.table import Table
from studios.booking.running import extend
from studios.booking.times import clock

SHOWN_FOR = 20  # seconds
STEP = 15  # minutes

log = structlog.get_logger()


def near_the_end(lease: Lease, table: Table, equipment: Equipment) -> Table:
    """Warn when it is time to, or go on. The table with its new end, if it has one."""
    left = due_warning(table.ends_at, table.warned_minutes, table.now)
    rooms = _rooms(table)
    if left is None or table.wanted is Wanted.DOWN or not rooms:
        return table
    went_on = left == 1 and _goes_on(table) and _extended(lease, table)
    if went_on:
        table = replace(table, ends_at=table.ends_at + timedelta(minutes=STEP), version=table.version + 1)
    else:
        write(lambda: _note(lease, left))
    lease.renew()
    title, text = _message(table.ends_at, left, bool(went_on))
    work: list[Callable[[], None]] = [partial(_show, panel, title, text) for panel in rooms]
    equipment.all_at_once(work, None)
    return table


def _rooms(table: Table) -> list[Panel]:
    """The panels of those who are in the call."""
    up = {table.party_of(leg.leg_id) for leg in table.legs if leg.state is LegState.CONNECTED}
    if up and table.host_party:
        up.add(table.host_party)
    return [panel for party_id in up if (panel := table.stations[party_id].panel)]


def _goes_on(table: Table) -> bool:
    silent = [door.is_muted for door in table.doors.values()]
    return may_go_on(silent, table.extended_minutes, STEP, settings().go_on_minutes)


def _extended(lease: Lease, table: Table) -> bool:
    """Whether all its studios and ports were free, and are its own now."""
    try:
        write(lambda: _extend(lease, table))
    except Refused as refusal:
        log.info("cannot go on", conference=table.reference, reason=str(refusal))
        return False
    return True


def _extend(lease: Lease, table: Table) -> None:
    lease.hold()
    conference = extend(table.conference_id, STEP, table.version, None)
    conference.extended_minutes += STEP


def _note(lease: Lease, left: int) -> None:
    lease.hold().warned_minutes = left


def _message(ends_at: datetime, left: int, went_on: bool) -> tuple[str, str]:
    with force_locale(DEFAULT_LANGUAGE):
        if went_on:
            return _("The conference goes on"), _(
                "The rooms are free: it lasts until %(time)s now.", time=clock(ends_at)
            )
        title = ngettext("The conference ends in %(num)s minute", "The conference ends in %(num)s minutes", left)
        return title, _("The call is taken down at %(time)s.", time=clock(ends_at))


def _show(panel: Panel, title: str, text: str) -> None:
    """A screen that cannot be reached is no reason for anything."""
    try:
        panel.alert(title, text, SHOWN_FOR)
    except DeviceError as error:
        log.info("no warning on the screen", error=str(error))
