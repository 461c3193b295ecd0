"""Book, list, look at, change and give up conferences."""

from dataclasses import replace

from flask import Blueprint

from accounts.permissions import EVERY_ROLE
from accounts.rules import Scope
from api.answers import Answer
from api.endpoint import PREFIX, endpoint
from models import Conference, Role
from studios.booking import conferences as writes
from studios.booking import queries
from studios.booking.api.asked import ChangeRequest, ConferenceRequest
from studios.booking.api.listing import ConferencesQuery, list_conferences
from studios.booking.api.reading import BOOKERS, read_booking, read_parties
from studios.booking.api.refusing import Wished, done
from studios.booking.api.rights import conference_at, own_conference, own_conference_locked, person, version_seen
from studios.booking.api.telling import shown, told
from studios.booking.api.told import ConferenceAnswer, ConferencesAnswer, ConflictAnswer
from studios.booking.conferences import booking_of, studios_of
from studios.booking.wishes import Booking, studios

blueprint = Blueprint("conferences", __name__, url_prefix=f"{PREFIX}/conferences")


@endpoint(
    blueprint, "POST", "", summary="Book a conference", scope=Scope.BOOK, roles=BOOKERS, body=ConferenceRequest,
    answers={201: ConferenceAnswer, 409: ConflictAnswer}, idempotent=True,
)  # fmt: skip
def book(body: ConferenceRequest) -> Answer:
    """Everything or nothing: a studio for every party, and the bridge's ports. What is taken is told with whose it is,
    and with other times at which the same parties can meet."""
    return done(
        lambda: told(writes.book(read_booking(body), person()), 201),
        lambda: Wished(read_booking(body)),
    )


@endpoint(
    blueprint, "GET", "", summary="List conferences", scope=Scope.READ, roles=EVERY_ROLE, query=ConferencesQuery,
    answers={200: ConferencesAnswer},
)  # fmt: skip
def listed(query: ConferencesQuery) -> Answer:
    """Those that overlap the time from `from` (now) to `to` (seven days after it), by start.

    `organisation`: that owns it or sits at its table. `mine`: of an organisation that the account books for, or
    organised by the account. For more send `next` as `cursor`, with all else as it was.
    """
    return Answer(list_conferences(query))


@endpoint(
    blueprint, "GET", "/<reference:reference>", summary="One conference", scope=Scope.READ, roles=EVERY_ROLE,
    answers={200: ConferenceAnswer},
)  # fmt: skip
def one(reference: str) -> Answer:
    """The ETag is its version, which If-Match takes where it is changed."""
    return shown(conference_at(reference))


@endpoint(
    blueprint, "PATCH", "/<reference:reference>", summary="Change a conference", scope=Scope.BOOK, roles=BOOKERS,
    body=ChangeRequest, answers={200: ConferenceAnswer, 409: ConflictAnswer}, idempotent=True,
)  # fmt: skip
def change(reference: str, body: ChangeRequest) -> Answer:
    """While it runs only the title, the purpose, `movable` and the end can be changed.

    Without a version, by the body or by If-Match, what was read last is changed, whatever that is.
    """
    version = version_seen(body.version)

    def work() -> Answer:
        found = own_conference_locked(reference)
        return told(
            writes.change(found.id, _changed(found, body), found.version if version is None else version, person())
        )

    return done(work, lambda: _wished(own_conference(reference), body))


@endpoint(
    blueprint, "DELETE", "/<reference:reference>", summary="Cancel or end a conference", scope=Scope.BOOK,
    roles=(*BOOKERS, Role.EMERGENCY), answers={200: ConferenceAnswer, 409: ConflictAnswer}, idempotent=True,
)  # fmt: skip
def cancel(reference: str) -> Answer:
    """One that has not started is given up, one that runs is ended now. If-Match counts. The emergency right does for
    emergencies."""
    version = version_seen()

    def work() -> Answer:
        found = own_conference_locked(reference)
        return told(writes.cancel(found.id, found.version if version is None else version, person()))

    return done(work)


def _wished(found: Conference, body: ChangeRequest) -> Wished:
    return Wished(_changed(found, body), found.id, is_fixed=queries.is_under_way(found))


def _changed(found: Conference, body: ChangeRequest) -> Booking:
    """The conference as it shall be."""
    before = booking_of(found)
    if queries.is_under_way(found):  # its studios stand, however they were chosen
        before = replace(before, parties=studios(studio.id for studio in studios_of(found)))
    changes = {
        name: value
        for name in ("title", "purpose", "start", "end", "movable", "video")
        if (value := getattr(body, name)) is not None
    }
    if body.start is not None and body.end is None:
        changes["end"] = body.start + (before.end - before.start)
    if body.parties is not None:
        changes["parties"] = read_parties(body.parties)
    return replace(before, **changes)
