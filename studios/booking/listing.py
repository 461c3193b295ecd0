"""A page of the list of conferences."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby

from flask import url_for

from models import Conference
from studios.booking import queries
from studios.booking.forms import zone
from studios.booking.typed import date_text, turned

MINE, ALL = "mine", "all"
LAST_PAGE = 10_000
# How far ahead the list reaches from its first day.
REACH = timedelta(days=800)


@dataclass(frozen=True)
class Listing:
    """The conferences from `day` on, grouped by their day; `whose` is offered as a choice to those who `has_own`."""

    day: date
    whose: str
    has_own: bool
    page: int
    pages: int
    groups: list[tuple[date, list[Conference]]]

    @property
    def day_text(self) -> str:
        return date_text(self.day)

    def address(self, days: int = 0, whose: str = "", page: int | None = None) -> str:
        """The list some days further on, or of others, or another page of this one."""
        first = turned(self.day, days).isoformat()
        return url_for("booking.conferences", **{"from": first}, whose=whose or self.whose, page=page)  # type: ignore[arg-type]

    def page_address(self, page: int) -> str:
        return self.address(page=page)


def list_conferences(day: date, whose: str, own: Collection[int], page: int) -> Listing:
    """`own` are the organisations of the person who asks; without any there is but one list, of all."""
    whose = MINE if own and whose != ALL else ALL
    page = min(max(page, 1), LAST_PAGE)
    start = datetime.combine(day, time(), zone()).astimezone(UTC)
    rows, total = queries.conferences_between(start, start + REACH, own if whose == MINE else None, page)
    groups = [(when, list(group)) for when, group in groupby(rows, _day_of)]
    return Listing(day, whose, bool(own), page, -(-total // queries.PAGE), groups)


def _day_of(conference: Conference) -> date:
    return conference.starts_at.astimezone(zone()).date()
