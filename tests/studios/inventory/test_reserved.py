"""What is shown as taking a studio's time."""

from datetime import UTC, datetime, timedelta

from models import ReservationKind, db
from studios.inventory.queries import reservations_of
from tests import factories

HOUR = timedelta(hours=1)


def test_a_request_that_has_run_out_takes_no_time(app):
    now = datetime.now(UTC)
    start = now + HOUR
    studio = factories.studio()
    held = factories.conference(studio, start=start, end=start + HOUR).reservations[0]
    assert list(reservations_of(studio, now, now + 24 * HOUR)) == [held]
    held.kind, held.expires_at = ReservationKind.PENDING_REQUEST, now - HOUR
    db.session.commit()
    assert list(reservations_of(studio, now, now + 24 * HOUR)) == []
