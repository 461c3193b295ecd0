"""The mail that managers get about the day before, in the morning."""

from datetime import date, datetime, timedelta

import sqlalchemy as sa
from flask_babel import force_locale, format_date, format_decimal, format_percent
from flask_babel import gettext as _

from accounts.language import DEFAULT_LANGUAGE, LANGUAGES
from config import settings
from messages.outbox import Attachment, queue
from models import Account, Role, RoleGrant, database_now, db
from reports import figures
from reports.figures import Figures
from reports.rules import MAILED
from reports.table import csv_of, file_name

WEEK = timedelta(days=7)


def queue_mails(day: date) -> None:
    """Ask for a day's mails, in the caller's `write`, from the facts that were just kept. Nobody is sent two."""
    recipients = _managers(database_now())
    if not recipients:
        return
    now, before = figures.network(day, day), _week_before(day)
    attached: Attachment = {"name": file_name(day, day), "type": "text/csv", "content": csv_of(day, day)}
    for account in recipients:
        with force_locale(account.language if account.language in LANGUAGES else DEFAULT_LANGUAGE):
            queue(
                key=f"report:{day}:{account.id}",
                recipient=account.email,
                subject=_("Studio usage on %(day)s", day=format_date(day, "full")),
                body=body_of(day, now, before),
                attachments=[attached],
                expires_after=MAILED,
            )


def body_of(day: date, now: Figures, before: Figures | None) -> str:
    """The figures in the language of the moment, each beside that of the same weekday a week before."""
    lines = [_("Studio usage on %(day)s", day=format_date(day, "full")), ""]
    if before is None:
        lines += [f"{name}: {value}" for name, value in _lines(now)]
        lines += ["", _("There is no report of the same weekday a week before.")]
    else:
        pairs = zip(_lines(now), _lines(before), strict=True)
        lines += [f"{name}: {value} ({then})" for (name, value), (_name, then) in pairs]
        lines += ["", _("In brackets: the same weekday a week before.")]
    if now.running:
        lines.append(_("Some conferences were not over yet when this was written; the report is completed later."))
    if settings().public_url:
        lines += ["", f"{settings().public_url}/reports/{day}"]
    return "\n".join(lines) + "\n"


def _lines(of: Figures) -> list[tuple[str, str]]:
    return [
        (_("Conferences booked"), format_decimal(of.booked)),
        (_("Held"), format_decimal(of.held)),
        (_("As booked"), format_decimal(of.as_booked)),
        (_("Started late"), format_decimal(of.late)),
        (_("Failed"), format_decimal(of.failed)),
        (_("Nobody came"), format_decimal(of.no_shows)),
        (_("Not over"), format_decimal(of.running)),
        (_("Cancelled"), format_decimal(of.cancelled)),
        (_("Studio hours booked"), _hours(of.booked_seconds)),
        (_("Studio hours used"), _hours(of.used_seconds)),
        (_("Studios in use"), _("%(used)s of %(all)s", used=of.studios_used, all=of.studios)),
        (_("Healthy, of the time that is known"), _share(of.healthy_share)),
    ]


def _hours(seconds: int) -> str:
    return str(format_decimal(round(seconds / 3600, 1)))


def _share(share: float | None) -> str:
    return _("not known") if share is None else str(format_percent(share, "0.0 %"))


def _week_before(day: date) -> Figures | None:
    """The figures of the same weekday, if it was reported."""
    before = day - WEEK
    return figures.network(before, before) if figures.reported_days(before, before) else None


def _managers(now: datetime) -> list[Account]:
    """Everybody who may sign in and holds the role now, for whatever organisation."""
    holding = sa.select(RoleGrant.account_id).where(
        RoleGrant.role == Role.MANAGER, sa.or_(RoleGrant.expires_at.is_(None), RoleGrant.expires_at > now)
    )
    query = sa.select(Account).where(Account.disabled_at.is_(None), Account.id.in_(holding)).order_by(Account.id)
    return list(db.session.scalars(query))
