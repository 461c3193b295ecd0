"""Many processes, one studio, one hour: exactly one booking wins and the others get a clean refusal."""

import multiprocessing
from collections import Counter
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from app import create_app
from models import Purpose, Reservation, db, write
from studios.booking.conferences import book
from studios.booking.obstacles import StudioTaken
from studios.booking.wishes import Booking, studios
from tests import factories
from tests.conftest import settings_for

PROCESSES, ROUNDS = 8, 6
HOUR = timedelta(hours=1)
FIRST = datetime(2027, 1, 11, 8, 0, tzinfo=UTC)


def _try(number: int, url: str, organisation_id: int, studio_ids: list[int], barrier, outcomes) -> None:
    """One process: in each round it asks for the shared studio and one of its own, at a time overlapping the others'.

    The order of the studios differs between processes, which is what makes careless locking deadlock.
    """
    shared, *own = studio_ids
    asked = (shared, own[number]) if number % 2 else (own[number], shared)
    with create_app(settings_for(url)).app_context():
        for round_number in range(ROUNDS):
            start = FIRST + 2 * HOUR * round_number + timedelta(minutes=5 * (number % 3))
            booking = Booking("Race", Purpose.TEST, organisation_id, start, start + HOUR, studios(asked))
            barrier.wait(60)
            try:
                write(lambda booking=booking: book(booking, None).id)
                outcomes.put((round_number, "won"))
            except StudioTaken as taken:
                named = all(clash.reference for clash in taken.clashes) and taken.clashes
                outcomes.put((round_number, "refused" if named else "refused without saying why"))
            except Exception as error:
                outcomes.put((round_number, repr(error)))


def test_of_many_processes_exactly_one_books_and_the_others_are_told_why(app, database_url):
    site = factories.site()
    studio_ids = [factories.studio(site).id for _ in range(PROCESSES + 1)]
    organisation_id = site.organisation_id
    db.session.rollback()
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])  # the program is imported once, not once a process
    barrier, outcomes = context.Barrier(PROCESSES), context.Queue()
    processes = [
        context.Process(target=_try, args=(n, database_url, organisation_id, studio_ids, barrier, outcomes))
        for n in range(PROCESSES)
    ]
    for process in processes:
        process.start()
    told = Counter(outcomes.get(timeout=90) for _ in range(PROCESSES * ROUNDS))
    for process in processes:
        process.join(30)
    assert told == {
        **{(n, "won"): 1 for n in range(ROUNDS)},
        **{(n, "refused"): PROCESSES - 1 for n in range(ROUNDS)},
    }
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Reservation)) == 2 * ROUNDS
    assert _overlaps() == 0


def _overlaps() -> int:
    """Counted in plain SQL, beside the code under test."""
    query = """
        SELECT count(*) FROM reservation a JOIN reservation b ON a.studio_id = b.studio_id AND a.id < b.id
        WHERE a.starts_at < b.ends_at AND b.starts_at < a.ends_at
          AND a.released_at IS NULL AND b.released_at IS NULL"""
    return int(db.session.scalar(sa.text(query)))
