"""Other studios for all that a closure hits: proposed together, and taken in one step."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from models import Closure, Conference, Reservation, Studio, db, write
from studios.booking.closures import close
from studios.booking.relocation import Chosen, Move, move_all, proposed_moves
from tests import factories

HOUR = timedelta(hours=1)


@pytest.fixture
def start() -> datetime:
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=3)


@pytest.fixture
def site(app):
    return factories.site()


def a_studio(site, **changes) -> Studio:
    studio = factories.studio(site, **changes)
    factories.endpoint(studio)
    return studio


def closed(place, start) -> Closure:
    key = write(
        lambda: close(db.session.get_one(type(place), place.id), start, start + 8 * HOUR, "Painting", None)[0].id
    )
    return db.session.get_one(Closure, key)


def chosen(move: Move) -> Chosen:
    assert move.proposal is not None
    return Chosen(move.conference.id, move.conference.version, move.party.position, move.proposal.studio.id)


def seated(conference: Conference) -> set[str]:
    db.session.rollback()
    query = sa.select(Studio.code).join(Reservation, Reservation.studio_id == Studio.id)
    held = query.where(Reservation.conference_id == conference.id, Reservation.released_at.is_(None))
    return set(db.session.scalars(held))


def test_every_conference_that_is_hit_is_moved_next_door(site, start) -> None:
    broken, partner = a_studio(site), a_studio(factories.site())
    spare = a_studio(site)
    hit = [factories.conference(broken, partner, start=start + n * HOUR, end=start + (n + 1) * HOUR) for n in range(3)]
    untouched = factories.conference(broken, partner, start=start + 20 * HOUR)
    moves = proposed_moves(closed(broken, start))
    assert [(move.conference.id, move.proposal.studio.code) for move in moves] == [
        (each.id, spare.code) for each in hit
    ]
    outcomes = move_all([chosen(move) for move in moves])
    assert [each.refused for each in outcomes] == ["", "", ""]
    for conference in hit:
        assert seated(conference) == {spare.code, partner.code}
    assert seated(untouched) == {broken.code, partner.code}


def test_no_studio_is_proposed_twice_for_one_time(site, start) -> None:
    """The nearest is for the first, the second has to go further; at another time it is the nearest again."""
    broken = [a_studio(site), a_studio(site)]
    near, far = (a_studio(factories.site(latitude=latitude)).code for latitude in (69.7, 68.0))
    partners = [a_studio(factories.site(latitude=59.9, longitude=10.7)) for _ in range(3)]
    for studio, partner, hours in zip([*broken, broken[0]], partners, (0, 0, 3), strict=True):
        factories.conference(studio, partner, start=start + hours * HOUR)
    moves = proposed_moves(closed(site, start))
    assert [move.proposal.studio.code for move in moves if move.proposal] == [near, far, near]


def test_one_that_was_changed_meanwhile_does_not_hold_up_the_others(site, start) -> None:
    broken, partner = a_studio(site), a_studio(factories.site())
    a_studio(site)
    first, second = (
        factories.conference(broken, partner, start=start + n * HOUR, end=start + (n + 1) * HOUR) for n in range(2)
    )
    moves = [chosen(move) for move in proposed_moves(closed(broken, start))]
    write(lambda: db.session.execute(sa.update(Conference).where(Conference.id == first.id).values(version=7)))
    outcomes = move_all(moves)
    assert [bool(each.refused) for each in outcomes] == [True, False]
    assert broken.code in seated(first)
    assert broken.code not in seated(second)


def test_where_nothing_is_free_nothing_is_proposed(site, start) -> None:
    broken, partner = a_studio(site), a_studio(factories.site())
    factories.conference(broken, partner, start=start)
    [move] = proposed_moves(closed(broken, start))
    assert move.proposal is None
