"""Many processes save series that overlap: one wins whole, and the others get nothing, and are told why."""

import multiprocessing
from collections import Counter

import sqlalchemy as sa

from app import create_app
from models import db, write
from studios.booking.series.edit_previews import EditRefused, SeriesChange
from studios.booking.series.editing import edit_series
from studios.booking.series.edits import Scope
from studios.booking.series.previews import SeriesRefused
from studios.booking.series.saving import book_series
from tests import factories
from tests.conftest import settings_for
from tests.studios.booking.series.asking import HOUR, count, members, nine, overlaps, request, saved

PROCESSES = 4
MEETINGS = 12


def _together(work, url, arguments) -> Counter:
    """How it ended for each of these, each in a process of its own."""
    spawning = multiprocessing.get_context("spawn")
    barrier, outcomes = spawning.Barrier(len(arguments)), spawning.Queue()
    processes = [spawning.Process(target=_run, args=(work, url, each, barrier, outcomes)) for each in arguments]
    for process in processes:
        process.start()
    found = Counter(outcomes.get(timeout=90) for _ in processes)
    for process in processes:
        process.join(30)
    return found


def _run(work, url, argument, barrier, outcomes) -> None:
    with create_app(settings_for(url)).app_context():
        db.session.execute(sa.text("SELECT 1"))
        barrier.wait(60)
        try:
            work(argument)
            outcomes.put("won")
        except (SeriesRefused, EditRefused) as refused:
            told = refused.obstacles and all(obstacle.reference for obstacle in refused.obstacles)
            outcomes.put("refused" if told else "refused without saying why")
        except Exception as error:
            outcomes.put(repr(error))


def _book(asked) -> None:
    write(lambda: len(book_series(asked, None).conferences))


def _move(about) -> None:
    conference_id, start = about
    write(lambda: len(edit_series(conference_id, Scope.ALL, SeriesChange(start=start), 1, None).conferences))


def test_of_many_who_save_series_that_overlap_one_wins_whole(app, database_url):
    site = factories.site()
    shared = factories.studio(site)
    own = [factories.studio(site) for _ in range(PROCESSES)]
    # The order of the studios differs, which is what makes careless locking deadlock.
    asked = [
        request([shared, studio] if number % 2 else [studio, shared], MEETINGS) for number, studio in enumerate(own)
    ]
    db.session.rollback()
    found = _together(_book, database_url, asked)
    assert found == {"won": 1, "refused": PROCESSES - 1}
    assert (count("series"), count("conference"), count("reservation")) == (1, MEETINGS, 2 * MEETINGS)
    assert overlaps() == 0


def test_of_two_series_that_move_to_the_same_time_one_does(app, database_url):
    studios = [factories.studio() for _ in range(2)]
    morning = saved(studios, 6)
    noon = saved(studios, 6, rule={"start_time": (nine() + 3 * HOUR).time()})
    target = nine() + 6 * HOUR
    about = [(each[0].id, target) for each in (morning, noon)]
    series_ids = [each[0].series_id for each in (morning, noon)]
    db.session.rollback()
    assert _together(_move, database_url, about) == {"won": 1, "refused": 1}
    starts = sorted(len([each for each in members(key) if each.sequence]) for key in series_ids)
    assert starts == [0, 6]
    assert overlaps() == 0
