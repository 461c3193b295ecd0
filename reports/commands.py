"""`studionett report`."""

import sys
from datetime import date, datetime
from pathlib import Path

import click
from flask.cli import with_appcontext

from models import database_now
from progress import progress_bar
from reports import figures
from reports.figures import Figures, Subject
from reports.table import csv_of
from reports.usage import make_missing, today_of

COLUMNS = ("Region", "Booked", "Held", "Late", "Failed", "No-show", "Hours booked", "Hours used", "Healthy")


class Day(click.ParamType):
    """A date such as 2026-11-21."""

    name = "day"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        try:
            return datetime.strptime(str(value), "%Y-%m-%d").date()  # noqa: DTZ007
        except ValueError:
            self.fail(f"{value!r} is no day; write it like 2026-11-21.", param, ctx)


@click.command("report")
@click.argument("day", type=Day(), required=False)
@click.option("--from", "first", type=Day(), help="The first day, with --to.")
@click.option("--to", "last", type=Day(), help="The last day, with --from.")
@click.option("--csv", "target", metavar="FILE", help="Also write the figures as CSV; - for standard output.")
@with_appcontext
def report(day: date | None, first: date | None, last: date | None, target: str | None) -> None:
    """How the studios were used on DAY, or from one day to another; makes the reports that are missing."""
    begin, end = _period(day, first, last)
    _refuse_unfinished(end)
    with progress_bar("Making reports") as progress:
        make_missing(begin, end, progress)
    # What goes to standard output is then the file, and nothing else.
    for line in _summary(begin, end):
        click.echo(line, err=target == "-")
    if target:
        _write(csv_of(begin, end), target)


def _period(day: date | None, first: date | None, last: date | None) -> tuple[date, date]:
    if day is not None and (first or last):
        raise click.UsageError("Give one day, or --from and --to, not both.")
    begin, end = (day, day) if day is not None else (first, last)
    if begin is None or end is None:
        raise click.UsageError("Give a day, or both --from and --to.")
    if end < begin:
        raise click.UsageError(f"--to {end} is before --from {begin}.")
    return begin, end


def _refuse_unfinished(last: date) -> None:
    """A report is of days that are over."""
    today = today_of(database_now())
    if last > today:
        raise click.ClickException(f"{last} is still to come; there are reports of days that are over.")
    if last == today:
        raise click.ClickException(f"{last} is not over; there are reports of days that are.")


def _summary(first: date, last: date) -> list[str]:
    when = f"{first}" if first == last else f"{first} to {last}"
    found = figures.network(first, last)
    if not found.booked + found.cancelled:
        return [f"{when}: no conferences."]
    regions = _aligned([COLUMNS, *map(_row, figures.regions(first, last))])
    return [f"{when}: {_sentence(found)}", "", *regions, "A conference between regions counts in each of them."]


def _sentence(of: Figures) -> str:
    not_over = f"{of.running} not over, " if of.running else ""
    return (
        f"{of.booked} conferences booked, {of.held} held ({of.as_booked} as booked, {of.late} late), "
        f"{of.failed} failed, {of.no_shows} where nobody came, {not_over}{of.cancelled} cancelled; "
        f"{_hours(of.booked_seconds)} studio hours booked, {_hours(of.used_seconds)} used, "
        f"{of.studios_used} of {of.studios} studios; {_share(of.healthy_share)} healthy."
    )


def _row(region: Subject) -> tuple[str, ...]:
    of = region.figures
    counts = map(str, (of.booked, of.held, of.late, of.failed, of.no_shows))
    return (region.name, *counts, _hours(of.booked_seconds), _hours(of.used_seconds), _share(of.healthy_share))


def _hours(seconds: int) -> str:
    return f"{seconds / 3600:.1f}"


def _share(share: float | None) -> str:
    return "not known" if share is None else f"{share:.1%}"


def _aligned(rows: list[tuple[str, ...]]) -> list[str]:
    """The first column to the left, the numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join([row[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True))])
        for row in rows
    ]


def _write(text: str, target: str) -> None:
    try:
        if target == "-":
            sys.stdout.buffer.write(text.encode())
            sys.stdout.buffer.flush()
        else:
            Path(target).write_bytes(text.encode())
    except OSError as error:
        raise click.ClickException(f"{target} cannot be written: {error.strerror}.") from None
