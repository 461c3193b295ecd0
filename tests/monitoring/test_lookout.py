"""One look for many pages: none misses what it would have found alone, and none is told what it had not asked for."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.lookout import Lookout
from monitoring.stirrings import OVERLAP, Cursor, Kind, Stirring

NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
HAPPENED = [Stirring(Kind.STATUS, NOW - seconds * SECOND, seconds, None) for seconds in range(0, 600, 7)]


class Table:
    """The rows, and how often they were read."""

    def __init__(self) -> None:
        self.reads: list[datetime] = []

    def look(self, after: datetime, now: datetime) -> list[Stirring]:
        self.reads.append(after)
        return [one for one in HAPPENED if after < one.at <= now]


def cursor(seconds_ago: float) -> Cursor:
    return Cursor(NOW - seconds_ago * SECOND)


def ids(lookout: Lookout, table: Table, seconds_ago: float) -> set[int | None]:
    return {one.studio_id for one in lookout.look(cursor(seconds_ago), lambda: NOW, table.look).found}


def test_pages_that_ask_at_about_the_same_time_share_one_read():
    lookout, table = Lookout(60.0), Table()
    for _ in range(50):
        ids(lookout, table, 5)
        ids(lookout, table, 2)
    assert len(table.reads) == 1


def test_a_look_that_is_old_is_taken_anew():
    lookout, table = Lookout(0.0), Table()
    ids(lookout, table, 5), ids(lookout, table, 5)
    assert len(table.reads) == 2


@given(st.lists(st.integers(min_value=0, max_value=500), min_size=1, max_size=20))
def test_each_page_gets_just_what_it_would_have_found_alone(asked):
    lookout, table = Lookout(60.0), Table()
    for seconds_ago in asked:
        alone = {one.studio_id for one in HAPPENED if one.at > cursor(seconds_ago).since - OVERLAP}
        assert ids(lookout, table, seconds_ago) == alone


def test_one_that_looks_far_back_makes_the_next_look_go_as_far_and_then_no_more():
    lookout, table = Lookout(0.0), Table()
    for seconds_ago in (5, 300, 5, 5):
        ids(lookout, table, seconds_ago)
    far, near = (cursor(seconds).reach for seconds in (300, 5))
    assert table.reads == [near, far, far, near]


def test_who_comes_while_somebody_looks_waits_and_gets_the_same():
    lookout, looking, go_on = Lookout(60.0), threading.Event(), threading.Event()
    table = Table()

    def slowly(after: datetime, now: datetime) -> list[Stirring]:
        looking.set()
        assert go_on.wait(5)
        return table.look(after, now)

    found: list[int] = []
    ask = lambda: found.append(len(lookout.look(cursor(5), lambda: NOW, slowly).found))  # noqa: E731
    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    assert looking.wait(5)
    go_on.set()
    for thread in threads:
        thread.join(5)
    assert len(found) == 8
    assert len(table.reads) == len(set(found)) == 1


def test_a_look_that_failed_is_tried_again_by_the_next():
    lookout, table = Lookout(60.0), Table()

    def fails(after: datetime, now: datetime) -> list[Stirring]:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        lookout.look(cursor(5), lambda: NOW, fails)
    assert ids(lookout, table, 5)
