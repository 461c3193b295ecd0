"""A page of the list of conferences."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby

from flask import url_for
from sqlalchemy import and_

from accounts.permissions import access
from models import Conference
from studios.booking import queries
from studios.booking.forms import zone
from studios.booking.searching import matching
from studios.booking.typed import date_text, turned

MINE, ALL, ME = "mine", "all", "me"
LAST_PAGE = 10_000
# How far ahead the list reaches from its first day.
REACH = timedelta(days=800)
# A search looks so far: as far as can be booked, and a year of titles is read in no time.
SEARCHED = timedelta(days=400)


@dataclass(frozen=True)
class Listing:
    """The conferences from `day` on, grouped by their day; `whose` is offered as a choice to those who `has_own`.
    `text`: what was searched for."""

    day: date
    whose: str
    has_own: bool
    page: int
    pages: int
    groups: list[tuple[date, list[Conference]]]
    text: str = ""
    total: int = 0

    @property
    def day_text(self) -> str:
        return date_text(self.day)

    def address(self, days: int = 0, whose: str = "", page: int | None = None) -> str:
        """The list some days further on, or of others, or another page of this one."""
        first = turned(self.day, days).isoformat()
        asked = {"from": first, "q": self.text or None}
        return url_for("booking.conferences", **asked, whose=whose or self.whose, page=page)  # type: ignore[arg-type]

    def page_address(self, page: int) -> str:
        return self.address(page=page)


def list_conferences(day: date, whose: str, own: Collection[int], page: int, text: str, person_id: int) -> Listing:
    """`own` are the organisations of the person who asks; without any there is but one list, of all."""
    allowed = (MINE, ALL, ME) if own else (ALL,)
    whose = whose if whose in allowed else allowed[0]
    page = min(max(page, 1), LAST_PAGE)
    start = datetime.combine(day, time(), zone()).astimezone(UTC)
    end = start + (SEARCHED if text else REACH)
    fitting = [matching(text, start, end, access(), person_id)] if text else []
    if whose == ME:
        fitting.append((Conference.organiser_id == person_id) | (Conference.booked_by_id == person_id))
    conditions = [each for each in fitting if each is not None]
    rows, total = queries.conferences_between(
        start, end, own if whose == MINE else None, page, fitting=and_(*conditions) if conditions else None
    )
    groups = [(when, list(group)) for when, group in groupby(rows, _day_of)]
    return Listing(day, whose, bool(own), page, -(-total // queries.PAGE), groups, text, total)


def _day_of(conference: Conference) -> date:
    return conference.starts_at.astimezone(zone()).date()
