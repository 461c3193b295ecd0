"""The line is gone through, and what came free is offered to the first who can use it.

1. Requests are looked at in order, each outside a transaction of its own making: what is free for it in its window?
2. What was found is offered in one transaction: the request is locked and looked at again, the studios are locked in
   order, what has expired is released, and all is checked again. Of two schedulers one comes too late and sees it.
3. Something may have come free for an earlier request after it was looked at. Before a time is offered, under the
   locks, everybody earlier in the line is therefore asked once more about times near it; if one can have any, nothing
   is offered, and the line is gone through from its beginning.
4. A request for which nothing is free, whose time is lost to a race or which fails holds nobody up.
"""

from collections.abc import Iterator
from enum import Enum, auto
from functools import partial

import structlog

from accounts.audit import record
from models import RequestState, WaitingRequest, db, write
from studios.booking.obstacles import NoPorts, Unavailable
from studios.booking.seating import span_of
from studios.booking.waiting import mails, queries
from studios.booking.waiting.holds import lock_and_check, offer
from studios.booking.waiting.lapses import close, is_over
from studios.booking.waiting.rules import around
from studios.booking.waiting.searching import Place, place_for
from studios.booking.wishes import booking_from_json
from studios.calendars.rules import Span

ROUNDS = 5
MOST_WITHOUT_PORTS = 5
"""So many times without bridge ports are passed over for a request in one sweep."""

log = structlog.get_logger()


class Outcome(Enum):
    NOTHING = auto()
    OFFERED = auto()
    NOT_FIRST = auto()


def offer_what_came_free(limit: int = 50) -> int:
    """Offer what is free to those who wait, at most so many times; how many offers were made."""
    return _Sweep(limit).run()


class _Sweep:
    def __init__(self, limit: int) -> None:
        self._left, self._limit = limit, limit
        self._lost: set[int] = set()
        """Those who could not have what was found for them, and are not asked again in this sweep."""

    def run(self) -> int:
        for _round in range(ROUNDS):
            if self._through():
                break
        return self._limit - self._left

    def _through(self) -> bool:
        """Whether the whole line was gone through; otherwise an earlier one comes first."""
        for request_id in queries.line():
            if self._left == 0:
                return True
            outcome = Outcome.NOTHING if request_id in self._lost else self._guarded(request_id)
            if outcome is Outcome.NOT_FIRST:
                return False
            self._left -= outcome is Outcome.OFFERED
        return True

    def _guarded(self, request_id: int) -> Outcome:
        try:
            return self._serve(request_id)
        except Exception:
            log.exception("waiting request failed", request=request_id)
            db.session.rollback()
            self._lost.add(request_id)
            return Outcome.NOTHING

    def _serve(self, request_id: int) -> Outcome:
        request = db.session.get(WaitingRequest, request_id)
        if request is None or _write_off(request):
            return Outcome.NOTHING
        barred: list[Span] = []
        while len(barred) < MOST_WITHOUT_PORTS and (place := place_for(request, barred)):
            try:
                return write(partial(self._offer, request_id, place))
            except NoPorts:
                barred.append(Span(place.start, place.end))
            except Unavailable:
                self._lost.add(request_id)
                return Outcome.NOTHING
        if barred:
            self._lost.add(request_id)
        return Outcome.NOTHING

    def _offer(self, request_id: int, place: Place) -> Outcome:
        request = queries.locked_request(request_id)
        if request is None or request.state is not RequestState.WAITING:
            return Outcome.NOTHING
        studios = lock_and_check(request, place)
        spans = [span_of(studio, place.start, place.end) for studio in studios]
        near = Span(min(span.start for span in spans), max(span.end for span in spans))
        if any(place_for(earlier, near=near) for earlier in self._earlier(request_id, near)):
            return Outcome.NOT_FIRST
        offer(request, place, studios)
        mails.offered(request, [studio.name for studio in studios])
        return Outcome.OFFERED

    def _earlier(self, request_id: int, near: Span) -> Iterator[WaitingRequest]:
        """Who comes before this one, and could be in a meeting near this span."""
        line = queries.line()
        for earlier in line[: line.index(request_id)]:
            request = db.session.get(WaitingRequest, earlier)
            if earlier not in self._lost and request and _could_meet(request, near):
                yield request


def _could_meet(request: WaitingRequest, near: Span) -> bool:
    booking = booking_from_json(request.booking)
    length = booking.end - booking.start
    return around(near, length, Span(request.earliest, request.latest)).length >= length


def _write_off(request: WaitingRequest) -> bool:
    """End a request whose window has passed; whether it has."""
    if not is_over(request):
        return False
    write(partial(_end, request.id))
    return True


def _end(request_id: int) -> None:
    request = queries.locked_request(request_id)
    if request is None or request.state is not RequestState.WAITING:
        return
    close(request, RequestState.EXPIRED)
    record("waiting.expired", f"waiting/{request.id}")
    mails.nothing_came(request)
