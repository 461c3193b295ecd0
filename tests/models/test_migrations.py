"""What a migration does to the rows that are there."""

from datetime import UTC, datetime, timedelta

from flask_migrate import downgrade, upgrade

from models import CallRecord, Leg, LegState, Wanted, db, write
from tests import factories

NINE = datetime(2026, 11, 20, 9, tzinfo=UTC)
TEN = NINE + timedelta(hours=1)


def leg(state: LegState, connected_at: datetime | None, ended_at: datetime | None) -> int:
    conference = factories.conference(factories.studio(), factories.studio())
    far_end = conference.parties[1]
    made = Leg(
        conference_id=conference.id,
        party_id=far_end.id,
        wanted=Wanted.UP,
        state=state,
        token=f"{conference.reference}/{far_end.id}",
        connected_at=connected_at,
        ended_at=ended_at,
        changed_at=NINE,
    )
    db.session.add(made)
    db.session.commit()
    return made.id


def test_the_calls_so_far_are_on_record_and_only_those_that_are_up_stay_open(app):
    with_records = {
        leg(LegState.STOPPED, NINE, TEN): (NINE, TEN),
        leg(LegState.CONNECTED, NINE, None): (NINE, None),
        leg(LegState.CONNECTED, TEN, NINE): (TEN, None),  # dropped at nine, and back
        leg(LegState.STOPPING, NINE, None): (NINE, None),
        leg(LegState.STOPPED, TEN, NINE): (TEN, TEN),  # a clock was put back
        leg(LegState.FAILED, NINE, None): (NINE, NINE),
    }
    leg(LegState.FAILED, None, NINE)
    db.session.remove()
    downgrade(revision="001")
    upgrade(revision="002")
    found = write(
        lambda: {row.leg_id: (row.connected_at, row.ended_at) for row in db.session.scalars(db.select(CallRecord))}
    )
    assert found == with_records
