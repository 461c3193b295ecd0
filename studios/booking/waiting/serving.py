"""The line is gone through, and what came free is offered to the first who can use it.

1. Requests are looked at in order, each outside a transaction of its own making: what is free for it in its window?
2. What was found is offered in one transaction: the request is locked and looked at again, the studios are locked in
   order, what has expired is released, and all is checked again. Of two schedulers one comes too late and sees it.
3. Something may have come free for an earlier request after it was looked at. Before a time is offered, under the
   locks, it is therefore tried whether anybody earlier in the line has use for these studios and can be seated near
   that time; if so, nothing is offered, and that one is looked at first.
4. A request for which nothing is free, whose time is lost to a race or which fails holds nobody up.
5. A sweep ends after `MOST_SECONDS`, and the next one goes on where it ended, so that everybody's turn comes.
"""

from collections import deque
from enum import Enum, auto
from functools import partial
from time import monotonic

import structlog
from flask import current_app

from accounts.audit import record
from models import RequestState, WaitingRequest, db, write
from studios.booking.obstacles import NoPorts, Unavailable
from studios.booking.seating import span_of
from studios.booking.waiting import mails, queries
from studios.booking.waiting.earlier import Earlier, before
from studios.booking.waiting.holds import lock_and_check, offer
from studios.booking.waiting.lapses import close, is_over
from studios.booking.waiting.searching import Place, place_for
from studios.calendars.rules import Span

MOST_SECONDS = 2.0
MOST_GIVING_WAY = 50
"""So many times somebody earlier is looked at first in one sweep."""
MOST_WITHOUT_PORTS = 5
"""So many times without bridge ports are passed over for a request in one sweep."""
GOES_ON = "waiting_goes_on"
"""The request at which the next sweep of this process goes on, in `app.extensions`; none when the line was done."""

log = structlog.get_logger()


class Outcome(Enum):
    NOTHING = auto()
    OFFERED = auto()


NotFirst = int
"""The key of the earlier request that may have what was found."""


def offer_what_came_free(limit: int = 50) -> int:
    """Offer what is free to those who wait, at most so many times; how many offers were made."""
    sweep = _Sweep(limit, current_app.extensions.pop(GOES_ON, None))
    left = sweep.run()
    if left is not None:
        current_app.extensions[GOES_ON] = left
    return sweep.offered


def is_in_the_midst() -> bool:
    """Whether the last sweep of this process ended before the line did."""
    return GOES_ON in current_app.extensions


class _Sweep:
    def __init__(self, limit: int, first: int | None) -> None:
        self._limit, self._first = limit, first
        self.offered = 0
        self._giving_way = 0
        self._earlier: Earlier | None = None
        self._lost: set[int] = set()
        """Those who could not have what was found for them, and are not asked again in this sweep."""

    def run(self) -> int | None:
        """Who comes next, where time was too short for all."""
        ends = monotonic() + MOST_SECONDS
        left = deque(self._line())
        while left and self.offered < self._limit:
            if monotonic() > ends:
                return left[0]
            self._turn(left)
        return left[0] if left else None

    def _line(self) -> list[int]:
        line = queries.line()
        return line[line.index(self._first) :] if self._first in line else line

    def _turn(self, left: deque[int]) -> None:
        """Serve the first of those who are left; one who is not first after all comes after who is."""
        request_id = left.popleft()
        if request_id in self._lost:
            return
        outcome = self._guarded(request_id)
        if outcome is Outcome.OFFERED:
            self.offered += 1
        elif not isinstance(outcome, Outcome) and self._giving_way < MOST_GIVING_WAY:
            self._giving_way += 1
            self._first_of_all(outcome)
            left.appendleft(request_id)

    def _first_of_all(self, request_id: int) -> None:
        """Whoever gets nothing although they could be first holds nobody up in this sweep."""
        if self._guarded(request_id) is Outcome.OFFERED:
            self.offered += 1
        else:
            self._lost.add(request_id)

    def _guarded(self, request_id: int) -> Outcome | NotFirst:
        try:
            return self._serve(request_id)
        except Exception:
            log.exception("waiting request failed", request=request_id)
            db.session.rollback()
            self._lost.add(request_id)
            return Outcome.NOTHING

    def _serve(self, request_id: int) -> Outcome | NotFirst:
        request = db.session.get(WaitingRequest, request_id)
        if request is None or request.state is not RequestState.WAITING or _write_off(request):
            return Outcome.NOTHING
        barred: list[Span] = []
        while len(barred) < MOST_WITHOUT_PORTS and (place := place_for(request, barred)):
            earlier = self._read_earlier(request_id)
            try:
                return write(partial(self._offer, request_id, place, earlier))
            except NoPorts:
                barred.append(Span(place.start, place.end))
            except Unavailable:
                self._lost.add(request_id)
                return Outcome.NOTHING
        if barred:
            self._lost.add(request_id)
        return Outcome.NOTHING

    def _read_earlier(self, request_id: int) -> Earlier:
        """What those ask for who come before, read outside the transaction that offers."""
        self._earlier = self._earlier or Earlier()
        self._earlier.read(before(queries.line(), request_id))
        return self._earlier

    def _offer(self, request_id: int, place: Place, earlier: Earlier) -> Outcome | NotFirst:
        request = queries.locked_request(request_id)
        if request is None or request.state is not RequestState.WAITING:
            return Outcome.NOTHING
        studios = lock_and_check(request, place)
        spans = [span_of(studio, place.start, place.end) for studio in studios]
        near = Span(min(span.start for span in spans), max(span.end for span in spans))
        asked_first = [each for each in before(queries.line(), request_id) if each not in self._lost]
        if rival := earlier.first_who_could(asked_first, place.studio_ids, near):
            return rival
        offer(request, place, studios)
        mails.offered(request, [studio.name for studio in studios])
        return Outcome.OFFERED


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
