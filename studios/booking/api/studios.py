"""The studios that can be booked."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Annotated

from flask import Blueprint
from flask_babel import gettext as _
from pydantic import Field

from accounts.permissions import EVERY_ROLE
from accounts.rules import Scope
from api.answers import Answer
from api.endpoint import PREFIX, endpoint
from api.values import AnswerModel, PlainText
from config import settings
from errors import NotFound
from models import EndpointStatus, Health, Studio
from studios.booking import queries
from studios.booking.api.places import PlaceQuery, studios_at
from studios.booking.candidates import BookableHours, Candidate
from studios.inventory.present import Quality, present_health, quality_of
from studios.inventory.queries import closed_now, studio_by_code
from studios.inventory.search import LONGEST_TEXT, Entry, best, words_of

blueprint = Blueprint("studios", __name__, url_prefix=f"{PREFIX}/studios")


class StudioListQuery(PlaceQuery):
    text: Annotated[PlainText, Field(max_length=LONGEST_TEXT)] = ""
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: Annotated[PlainText, Field(max_length=6, pattern=r"^[0-9]{1,6}$")] | None = None


class StudioAnswer(AnswerModel):
    """`shared`: other organisations may book it. `needs_approval`: they then wait for its owner's word.
    `bookable_hours`: by day, in the wall clock of `zone`; null for any hour. `health`: of its equipment now."""

    code: str
    name: str
    site: str
    town: str
    municipality: str
    organisation: str
    zone: str
    capacity: int
    equipment: list[str]
    clinical: bool
    shared: bool
    needs_approval: bool
    bookable_hours: BookableHours | None
    setup_minutes: int
    clear_down_minutes: int
    quality_test: Quality
    quality_tested_on: date | None
    health: Health
    retired: bool


class StudiosAnswer(AnswerModel):
    """`total`: how many fit in all. `next`: the cursor with which the following ones are asked for."""

    studios: list[StudioAnswer]
    total: int
    next: str | None


@endpoint(
    blueprint, "GET", "", summary="Find studios", scope=Scope.READ, roles=EVERY_ROLE, query=StudioListQuery,
    answers={200: StudiosAnswer},
)  # fmt: skip
def listed(query: StudioListQuery) -> Answer:
    """Those in use that stand there and have what is asked for, by code; with a text those that have all its words in
    code, name, site, place or organisation, best first."""
    codes = _codes(studios_at(query), query.text)
    first = int(query.cursor or 0)
    shown, last = codes[first : first + query.limit], first + query.limit
    by_code = queries.studios_by_code(shown)
    found = _answers([by_code[code] for code in shown if code in by_code])
    return Answer(StudiosAnswer(studios=found, total=len(codes), next=str(last) if last < len(codes) else None))


@endpoint(
    blueprint, "GET", "/<code>", summary="One studio", scope=Scope.READ, roles=EVERY_ROLE,
    answers={200: StudioAnswer},
)  # fmt: skip
def one(code: str) -> Answer:
    """One that is retired too, since old conferences lead to it."""
    found = studio_by_code(code)
    if found is None:
        raise NotFound(_("There is no studio with the code %(code)s.", code=code[:40]))
    return Answer(_answers([found])[0])


def _codes(studios: Sequence[Candidate], text: str) -> list[str]:
    if not words_of(text):
        return [each.code for each in studios]
    known = {each.id: each.code for each in studios}
    entries = (Entry(each.id, each.code, each.name, _about(each)) for each in studios)
    return [known[key] for key in best(entries, text)]


def _about(studio: Candidate) -> tuple[str, ...]:
    return studio.site, studio.town, studio.municipality, studio.organisation


def _answers(studios: Sequence[Studio]) -> list[StudioAnswer]:
    now = datetime.now(UTC)
    statuses, closed = queries.statuses_of(studios), closed_now(studios, now)
    return [_answer(each, _health(statuses.get(each.id), each.id in closed, now), now) for each in studios]


def _health(status: EndpointStatus | None, closed: bool, now: datetime) -> Health:
    stale_after = timedelta(seconds=settings().stale_after)
    health, polled_at = (status.health, status.last_poll_at) if status else (None, None)
    return present_health(health, polled_at, closed, now, stale_after)


def _answer(studio: Studio, health: Health, now: datetime) -> StudioAnswer:
    site = studio.site
    return StudioAnswer(
        code=studio.code,
        name=studio.name,
        site=site.name,
        town=site.town,
        municipality=site.municipality,
        organisation=site.organisation.name,
        zone=site.zone,
        capacity=studio.capacity,
        equipment=sorted(studio.equipment),
        clinical=studio.clinical,
        shared=studio.shared,
        needs_approval=studio.needs_approval,
        bookable_hours=studio.bookable_hours,
        setup_minutes=studio.setup_minutes,
        clear_down_minutes=studio.clear_down_minutes,
        quality_test=quality_of(studio.quality_tested_on, studio.quality_test_passed, now.date()),
        quality_tested_on=studio.quality_tested_on,
        health=health,
        retired=studio.retired_at is not None,
    )
