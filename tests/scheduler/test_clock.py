import threading
from datetime import UTC, datetime, timedelta

from scheduler.clock import Clock, Lane


def test_any_number_of_threads_may_ask_for_the_same_conference_at_once():
    clock, failures = Clock(at_once=2), []
    clock.start(lambda: None)
    together = threading.Barrier(8)

    def ask() -> None:
        for n in range(40):
            together.wait(5)
            try:
                clock.at(datetime.now(UTC) + timedelta(minutes=n), print, n, Lane.CALM)
            except Exception as error:
                failures.append(error)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    clock.stop()
    assert failures == []


def test_a_start_waits_for_no_other_work_however_much_there_is_and_is_moved_to_its_lane():
    clock, free, started = Clock(at_once=2), threading.Event(), threading.Event()
    clock.start(lambda: None)
    now = datetime.now(UTC)
    for n in range(40):
        clock.at(now, lambda _: free.wait(20), n, Lane.CALM if n % 2 else Lane.CALLS)
    later = now + timedelta(seconds=0.3)
    clock.at(later, lambda _: started.set(), 100, Lane.CALM)
    clock.at(later, lambda _: started.set(), 100, Lane.STARTS)
    assert started.wait(5)
    free.set()
    clock.stop()


def test_a_stop_waits_for_what_has_begun_and_begins_nothing_more():
    clock, begun, done = Clock(at_once=1), threading.Event(), []
    clock.start(lambda: None)

    def work(conference_id: int) -> None:
        begun.set()
        stopping.wait(5)
        clock.at(datetime.now(UTC), done.append, 3, Lane.STARTS)  # as a pass does that wants to look again
        done.append(conference_id)

    stopping = threading.Event()
    for n in (1, 2):
        clock.at(datetime.now(UTC), work, n, Lane.STARTS)
    assert begun.wait(5)
    stop = threading.Thread(target=clock.stop, daemon=True)
    stop.start()
    threading.Timer(0.5, stopping.set).start()
    stop.join(10)
    assert not stop.is_alive(), "they wait for each other"
    assert done == [1]
