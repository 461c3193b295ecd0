"""Studios and sites out of use: what there is, taken out of use, and put back."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from flask import Blueprint
from flask_babel import gettext as _
from pydantic import ConfigDict, Field
from sqlalchemy.orm import joinedload

from accounts.permissions import EVERY_ROLE
from accounts.rules import Scope
from api.answers import Answer
from api.endpoint import PREFIX, endpoint
from api.values import AnswerModel, Instant, PlainText, RequestModel, Whole
from errors import Invalid
from models import Closure, Conference, Site, Studio, db
from studios.booking.api.asked import Code, Name, Reason
from studios.booking.api.cursors import Cursor, cursor_at, is_after
from studios.booking.api.listing import Limit
from studios.booking.api.reading import ids_by_code, no_such_studio, read_organisation
from studios.booking.api.refusing import done
from studios.booking.api.rights import CLOSERS, check_closer, person
from studios.booking.api.told import ConflictAnswer
from studios.booking.closures import Threat, close, closure_at, reopen, site_of, threatened_by, with_places
from studios.booking.relocation import Chosen, Move, move_all, proposed_moves

blueprint = Blueprint("closures", __name__, url_prefix=f"{PREFIX}/closures")

AHEAD = timedelta(days=31)


class ClosureRequest(RequestModel):
    """Of a studio by its code, or of a whole site by its name, with its organisation where several have one of that
    name. The reason is shown to whoever wants to book there."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": ["studio"]}, {"required": ["site"]}]})

    studio: Code | None = None
    site: Name | None = None
    organisation: Name | None = None
    start: Instant
    end: Instant
    reason: Reason


class ClosuresQuery(RequestModel):
    since: Instant | None = Field(None, alias="from")
    to: Instant | None = None
    limit: Limit = 50
    cursor: Cursor | None = None


class ThreatAnswer(AnswerModel):
    """A conference that a closure hits, with its studio there."""

    reference: str
    start: Instant
    end: Instant
    studio: str
    owner: str


class ClosureAnswer(AnswerModel):
    """`studio` is null where the whole site is closed."""

    id: int
    studio: str | None
    site: str
    organisation: str
    start: Instant
    end: Instant
    reason: str


class NewClosureAnswer(ClosureAnswer):
    """`threatened`: what is planned or runs in it, and goes on until somebody moves it."""

    threatened: list[ThreatAnswer]


class MoveAnswer(AnswerModel):
    """A conference that is hit at its party with this number, from 1, with `version` as it is now; `proposed`: the code
    of the studio that could take the place, null where none does."""

    reference: str
    version: int
    start: Instant
    end: Instant
    party: int
    studio: str
    proposed: str | None
    kilometres: int | None


class MovesAnswer(AnswerModel):
    moves: list[MoveAnswer]


class MoveRequest(RequestModel):
    reference: Annotated[PlainText, Field(max_length=20)]
    version: Whole
    party: Annotated[int, Field(ge=1, le=200)]
    studio: Code


class MovesRequest(RequestModel):
    moves: Annotated[list[MoveRequest], Field(min_length=1, max_length=200)]


class MovedAnswer(AnswerModel):
    """`refused`: why it was not done, null where it was."""

    reference: str
    party: int
    studio: str
    refused: str | None


class AllMovedAnswer(AnswerModel):
    moves: list[MovedAnswer]


class ClosuresAnswer(AnswerModel):
    """By start. `next`: the cursor with which the following ones are asked for; null when these were the last."""

    closures: list[ClosureAnswer]
    next: str | None


@endpoint(
    blueprint, "GET", "", summary="List closures", scope=Scope.READ, roles=EVERY_ROLE, query=ClosuresQuery,
    answers={200: ClosuresAnswer},
)  # fmt: skip
def listed(query: ClosuresQuery) -> Answer:
    """Those that overlap the time from `from` (now) to `to` (31 days after it)."""
    start = query.since or datetime.now(UTC)
    wanted = with_places().where(Closure.starts_at < (query.to or start + AHEAD), Closure.ends_at > start)
    if query.cursor:
        wanted = wanted.where(is_after(query.cursor, Closure.starts_at, Closure.id))
    rows = db.session.scalars(wanted.order_by(Closure.starts_at, Closure.id).limit(query.limit + 1)).all()
    shown = rows[: query.limit]
    goes_on = cursor_at(shown[-1].starts_at, shown[-1].id) if len(rows) > query.limit else None
    return Answer(ClosuresAnswer(closures=[ClosureAnswer(**_facts(each)) for each in shown], next=goes_on))


@endpoint(
    blueprint, "GET", "/<int:number>", summary="One closure", scope=Scope.READ, roles=EVERY_ROLE,
    answers={200: NewClosureAnswer},
)  # fmt: skip
def one(number: int) -> Answer:
    """With the conferences that it threatens now."""
    found = closure_at(number)
    return Answer(_new(found, threatened_by(found)))


@endpoint(
    blueprint, "POST", "", summary="Take out of use", scope=Scope.OPERATE, roles=CLOSERS, body=ClosureRequest,
    answers={201: NewClosureAnswer, 409: ConflictAnswer}, idempotent=True,
)  # fmt: skip
def take_out(body: ClosureRequest) -> Answer:
    """At once, whatever is booked there: a broken studio does not wait. For technicians, coordinators and
    administrators of the organisation that it stands at. Nothing new is booked there in that time."""

    def work() -> Answer:
        closure, threats = close(_place(body), body.start, body.end, body.reason, person())
        return Answer(_new(closure, threats), 201, {"Location": f"{PREFIX}/closures/{closure.id}"})

    return done(work)


@endpoint(
    blueprint, "DELETE", "/<int:number>", summary="Put back into use", scope=Scope.OPERATE, roles=CLOSERS,
    answers={204: None, 409: ConflictAnswer}, idempotent=True,
)  # fmt: skip
def put_back(number: int) -> Answer:
    """From now on; a closure that has not begun never was."""

    def work() -> Answer:
        found = closure_at(number)
        check_closer(site_of(found))
        reopen(found.id, person())
        return Answer(None, 204)

    return done(work)


@endpoint(
    blueprint, "GET", "/<int:number>/moves", summary="Other studios for all that a closure hits", scope=Scope.READ,
    roles=CLOSERS, answers={200: MovesAnswer},
)  # fmt: skip
def proposed(number: int) -> Answer:
    """By start; the nearest that is free and does for each, none proposed twice for one time. Nothing is held."""
    found = closure_at(number)
    check_closer(site_of(found))
    return Answer(MovesAnswer(moves=[_move(each) for each in proposed_moves(found)]))


@endpoint(
    blueprint, "POST", "/<int:number>/moves", summary="Move what a closure hits", scope=Scope.OPERATE, roles=CLOSERS,
    body=MovesRequest, answers={200: AllMovedAnswer},
)  # fmt: skip
def move(number: int, body: MovesRequest) -> Answer:
    """What was looked through, in one step: each conference by itself, so that one which was changed or whose new
    studio was taken meanwhile does not hold up the others. Those concerned are told, and their calls follow."""
    found = closure_at(number)
    check_closer(site_of(found))
    hit = {(each.conference.reference, each.party.position + 1) for each in proposed_moves(found)}
    keys = ids_by_code([each.studio for each in body.moves])
    for each in body.moves:
        if (each.reference, each.party) not in hit:
            raise Invalid(_("The closure does not hit %(reference)s there.", reference=each.reference), "moves")
        if each.studio not in keys:
            raise Invalid(no_such_studio(each.studio), "moves")
    wanted = [
        Chosen(Conference.id_of(each.reference) or 0, each.version, each.party - 1, keys[each.studio])
        for each in body.moves
    ]
    done_so_far = move_all(wanted)
    answers = [
        MovedAnswer(reference=each.reference, party=each.party, studio=each.studio, refused=came.refused or None)
        for each, came in zip(body.moves, done_so_far, strict=True)
    ]
    return Answer(AllMovedAnswer(moves=answers))


def _move(found: Move) -> MoveAnswer:
    conference, proposal = found.conference, found.proposal
    assert found.party.reservation is not None  # only what has a studio is hit
    return MoveAnswer(
        reference=conference.reference,
        version=conference.version,
        start=conference.starts_at,
        end=conference.ends_at,
        party=found.party.position + 1,
        studio=found.party.reservation.studio.code,
        proposed=proposal.studio.code if proposal else None,
        kilometres=proposal.kilometres if proposal else None,
    )


def _place(body: ClosureRequest) -> Studio | Site:
    if (body.studio is None) == (body.site is None):
        raise Invalid(_("Name either a studio or a site."), "studio")
    place: Studio | Site = _studio(body.studio) if body.studio is not None else _named_site(body)
    check_closer(place.site if isinstance(place, Studio) else place)
    return place


def _studio(code: str) -> Studio:
    query = db.select(Studio).where(Studio.code == code, Studio.retired_at.is_(None))
    found = db.session.scalar(query.options(joinedload(Studio.site)))
    if found is None:
        raise Invalid(no_such_studio(code), "studio")
    return found


def _named_site(body: ClosureRequest) -> Site:
    query = db.select(Site)
    if body.organisation is not None:
        query = query.where(Site.organisation_id == read_organisation(body.organisation).id)
    wanted = (body.site or "").casefold()  # in Python: no database of ours folds the letters that SQLite does not know
    found = [site for site in db.session.scalars(query) if site.name.casefold() == wanted]
    if not found:
        raise Invalid(_("There is no site %(name)s.", name=body.site), "site")
    if len(found) > 1:
        raise Invalid(_("Several organisations have a site of that name: say which one."), "organisation")
    return found[0]


def _facts(closure: Closure) -> dict[str, Any]:
    site = site_of(closure)
    return {
        "id": closure.id,
        "studio": closure.studio.code if closure.studio else None,
        "site": site.name,
        "organisation": site.organisation.name,
        "start": closure.starts_at,
        "end": closure.ends_at,
        "reason": closure.reason,
    }


def _new(closure: Closure, threats: Sequence[Threat]) -> NewClosureAnswer:
    return NewClosureAnswer(**_facts(closure), threatened=[_threat(each) for each in threats])


def _threat(found: Threat) -> ThreatAnswer:
    conference = found.conference
    return ThreatAnswer(
        reference=conference.reference,
        start=conference.starts_at,
        end=conference.ends_at,
        studio=found.studio.code,
        owner=conference.organisation.name,
    )
