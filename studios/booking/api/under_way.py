"""What is done while a conference is under way: extended, parties added, replaced, called again, taken out."""

from datetime import UTC, datetime

from flask import Blueprint
from pydantic import BaseModel

from accounts.rules import Scope
from api.answers import Answer
from api.endpoint import PREFIX, endpoint
from models import Account, Conference
from studios.booking import answers, joining, proposals, running
from studios.booking.api.asked import ExtendRequest, JoinRequest, ReplaceRequest
from studios.booking.api.reading import BOOKERS, own, studio_key
from studios.booking.api.refusing import Wished, done
from studios.booking.api.rights import conference_with_own_party, own_conference, person, version_seen
from studios.booking.api.telling import at_version, told
from studios.booking.api.told import ConferenceAnswer, ConflictAnswer, ReplacementAnswer, ReplacementsAnswer
from studios.booking.conferences import booking_of
from studios.booking.wishes import GuestWish, StudioWish

blueprint = Blueprint("conferences_under_way", __name__, url_prefix=f"{PREFIX}/conferences/<reference>")

MOST_PROPOSED = 20
CHANGED: dict[int, type[BaseModel] | None] = {200: ConferenceAnswer, 409: ConflictAnswer}


@endpoint(
    blueprint, "POST", "/extend", summary="Let a running conference last longer", scope=Scope.BOOK, roles=BOOKERS,
    body=ExtendRequest, answers=CHANGED, idempotent=True,
)  # fmt: skip
def extend(reference: str, body: ExtendRequest) -> Answer:
    """While every studio and the bridge's ports are free; otherwise `conflicts` says who is in the way. If-Match
    counts."""
    return done(
        lambda: at_version(reference, lambda key, version, who: running.extend(key, body.minutes, version, who)),
        lambda: Wished(booking_of(found := own_conference(reference)), found.id, is_fixed=True),
    )


@endpoint(
    blueprint, "POST", "/parties/<int:number>/release", summary="Give a studio back before the end",
    scope=Scope.BOOK, roles=BOOKERS, answers=CHANGED, idempotent=True,
)  # fmt: skip
def release(reference: str, number: int) -> Answer:
    """While the conference runs: the call of this party, counted from 1, is taken down, and the others go on. For the
    organisation that owns the conference and that of the party."""

    def work() -> Answer:
        found = conference_with_own_party(reference, number, owner_too=True)
        return told(running.release_studio(found.id, number - 1, version_seen(), person()))

    return done(work)


@endpoint(
    blueprint, "POST", "/parties", summary="Add a party to a running conference", scope=Scope.BOOK, roles=BOOKERS,
    body=JoinRequest, answers=CHANGED, idempotent=True,
)  # fmt: skip
def join(reference: str, body: JoinRequest) -> Answer:
    """It is called at once, while its studio, or the bridge's port, is free until the end. If-Match counts."""

    def work(key: int, version: int, who: Account) -> Conference:
        return joining.join(key, _newcomer(body), version, who)

    return done(lambda: at_version(reference, work))


@endpoint(
    blueprint, "GET", "/parties/<int:number>/replacements", summary="Studios that could take a party's place",
    scope=Scope.READ, roles=BOOKERS, answers={200: ReplacementsAnswer},
)  # fmt: skip
def replacements(reference: str, number: int) -> Answer:
    """What is free until the end and does for this party, counted from 1; the nearest first, twenty at most."""
    found = own_conference(reference)
    party = answers.party_at(found, number - 1)
    best = proposals.replacements(found, party, own(), datetime.now(UTC), MOST_PROPOSED)
    return Answer(ReplacementsAnswer(replacements=[_replacement(each) for each in best]))


@endpoint(
    blueprint, "POST", "/parties/<int:number>/replace", summary="Give a party another studio", scope=Scope.BOOK,
    roles=BOOKERS, body=ReplaceRequest, answers=CHANGED, idempotent=True,
)  # fmt: skip
def replace(reference: str, number: int, body: ReplaceRequest) -> Answer:
    """Before the conference it is a change like any other. While it runs the old studio of this party, counted from 1,
    is given back, and the new one is called as one more party. If-Match counts."""

    def work(key: int, version: int, who: Account) -> Conference:
        return joining.replace_studio(key, number - 1, studio_key(body.studio), version, who)

    return done(lambda: at_version(reference, work))


@endpoint(
    blueprint, "POST", "/parties/<int:number>/call", summary="Call a party again", scope=Scope.BOOK, roles=BOOKERS,
    answers=CHANGED, idempotent=True,
)  # fmt: skip
def call(reference: str, number: int) -> Answer:
    """Now, whatever kept this party, counted from 1, out of the call until now."""
    return done(lambda: told(running.call_again(own_conference(reference).id, number - 1, person())))


@endpoint(
    blueprint, "POST", "/parties/<int:number>/hang-up", summary="Take a party out of the call", scope=Scope.BOOK,
    roles=BOOKERS, answers=CHANGED, idempotent=True,
)  # fmt: skip
def hang_up(reference: str, number: int) -> Answer:
    """This party, counted from 1, keeps its studio, and is not called until somebody has it called again."""
    return done(lambda: told(running.hang_up(own_conference(reference).id, number - 1, person())))


@endpoint(
    blueprint, "POST", "/reroute", summary="Leave a bridge that fails", scope=Scope.BOOK, roles=BOOKERS,
    answers=CHANGED, idempotent=True,
)  # fmt: skip
def reroute(reference: str) -> Answer:
    """All are hung up, and called by another bridge or by the codec of a studio. If-Match counts."""
    return done(lambda: at_version(reference, running.reroute))


def _newcomer(body: JoinRequest) -> StudioWish | GuestWish:
    if body.guest is not None:
        return GuestWish(body.guest)
    return StudioWish(studio_key(body.studio or ""), body.attendees)


def _replacement(proposal: proposals.Proposal) -> ReplacementAnswer:
    studio = proposal.studio
    return ReplacementAnswer(
        studio=studio.code,
        name=studio.name,
        site=studio.site,
        capacity=studio.capacity,
        kilometres=proposal.kilometres or 0,
    )
