"""On which terms a studio can be booked, for those who look after it."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from flask import Blueprint
from flask_babel import gettext as _
from pydantic import Field
from sqlalchemy.orm import joinedload

from accounts.permissions import access
from accounts.rules import Scope
from api.answers import Answer
from api.endpoint import PREFIX, endpoint
from api.idempotency import once
from api.values import AnswerModel, PlainText, RequestModel
from errors import Forbidden, Invalid, NotFound
from models import Role, StartMode, Studio, db
from studios.booking.candidates import BookableHours
from studios.booking.hours import read_hours
from studios.booking.terms import LONGEST_BUFFER, set_terms

blueprint = Blueprint("terms", __name__, url_prefix=f"{PREFIX}/studios")

DayName = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
OpenHours = Annotated[
    PlainText, Field(max_length=11, pattern=r"^([01][0-9]|2[0-4]):[0-5][0-9]-([01][0-9]|2[0-4]):[0-5][0-9]$")
]
Buffer = Annotated[int, Field(ge=0, le=LONGEST_BUFFER)]


class TermsRequest(RequestModel):
    """What shall be different; what is missing stays. `bookable_hours`: by day of the week in the studio's zone, such
    as `{"mon": ["08:00-11:30", "12:00-15:30"]}`; a day that is missing is closed, and null means any hour. Buffers are
    minutes before and after a conference. `start_mode`: calls come up muted, wait for a press in the room, or come up
    open."""

    bookable_hours: dict[DayName, Annotated[list[OpenHours], Field(max_length=20)]] | None = None
    setup_minutes: Buffer | None = None
    clear_down_minutes: Buffer | None = None
    shared: bool | None = None
    needs_approval: bool | None = None
    clinical: bool | None = None
    start_mode: StartMode | None = None

    def changes(self) -> Mapping[str, Any]:
        given = {name: getattr(self, name) for name in self.model_fields_set}
        return {name: value for name, value in given.items() if value is not None or name == "bookable_hours"}


class TermsAnswer(AnswerModel):
    studio: str
    bookable_hours: BookableHours | None
    setup_minutes: int
    clear_down_minutes: int
    shared: bool
    needs_approval: bool
    clinical: bool
    start_mode: StartMode


@endpoint(
    blueprint, "PATCH", "/<code>", summary="Set a studio's terms", scope=Scope.OPERATE, roles=(Role.ADMINISTRATOR,),
    body=TermsRequest, answers={200: TermsAnswer}, idempotent=True,
)  # fmt: skip
def change(code: str, body: TermsRequest) -> Answer:
    """For bookings from now on: what is booked already keeps its time. For administrators of the studio's
    organisation."""

    def work() -> Answer:
        _check_own(code)
        changes = dict(body.changes())
        if changes.get("bookable_hours") is not None:
            changes["bookable_hours"] = _hours(changes["bookable_hours"])
        return Answer(_told(set_terms(code, **changes)))

    return once(work)


def _check_own(code: str) -> None:
    query = db.select(Studio).where(Studio.code == code, Studio.retired_at.is_(None)).options(joinedload(Studio.site))
    studio = db.session.scalar(query)
    if studio is None:
        raise NotFound(_("There is no studio with the code %(code)s.", code=code[:40]))
    if not access().covers(studio.site.organisation_id, Role.ADMINISTRATOR):
        raise Forbidden(_("Only administrators of the organisation of this studio can do this."))


def _hours(given: Mapping[str, object]) -> BookableHours:
    try:
        return read_hours(given)
    except ValueError as error:
        raise Invalid(str(error), "bookable_hours") from None


def _told(studio: Studio) -> TermsAnswer:
    return TermsAnswer(
        studio=studio.code,
        bookable_hours=studio.bookable_hours,
        setup_minutes=studio.setup_minutes,
        clear_down_minutes=studio.clear_down_minutes,
        shared=studio.shared,
        needs_approval=studio.needs_approval,
        clinical=studio.clinical,
        start_mode=studio.start_mode,
    )
