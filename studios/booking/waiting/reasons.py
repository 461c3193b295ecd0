"""A request whose conference has been given up or planned anew has no reason to wait any longer. The caller commits."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime

import sqlalchemy as sa

from accounts.audit import record
from models import Conference, RequestState, WaitingRequest, db
from studios.booking.waiting.lapses import close
from studios.booking.waiting.queries import standing_holds


def waiting_for(conference_id: int) -> Sequence[WaitingRequest]:
    """The open requests of the conference, locked: to be called before the conference is locked, as who accepts an
    offer locks them."""
    return _locked(WaitingRequest.conference_id == conference_id)


def waiting_for_series(conference_id: int) -> Sequence[WaitingRequest]:
    """Those of all conferences of its series."""
    series = sa.select(Conference.series_id).where(Conference.id == conference_id).scalar_subquery()
    return _locked(WaitingRequest.conference_id.in_(sa.select(Conference.id).where(Conference.series_id == series)))


def wait_no_more(requests: Sequence[WaitingRequest], conference_ids: Collection[int]) -> None:
    """Withdraw those that are for these conferences; what is held for them comes free."""
    for request in requests:
        if request.conference_id in conference_ids:
            for hold in standing_holds(request.id):
                hold.released_at = datetime.now(UTC)
            close(request, RequestState.WITHDRAWN)
            record("waiting.withdrawn", f"waiting/{request.id}", after={"conference": request.conference_id})
    db.session.flush()


def _locked(condition: sa.ColumnElement[bool]) -> Sequence[WaitingRequest]:
    still = WaitingRequest.state.in_((RequestState.WAITING, RequestState.OFFERED))
    query = db.select(WaitingRequest).where(condition, still).order_by(WaitingRequest.id)
    locked = query.with_for_update(of=WaitingRequest)
    return db.session.scalars(locked.execution_options(populate_existing=True)).all()
