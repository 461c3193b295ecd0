import threading
from datetime import UTC, datetime, timedelta

from scheduler.clock import Clock


def test_any_number_of_threads_may_ask_for_the_same_conference_at_once():
    clock, failures = Clock(at_once=2), []
    clock.start(lambda: None)
    together = threading.Barrier(8)

    def ask() -> None:
        for n in range(40):
            together.wait(5)
            try:
                clock.at(datetime.now(UTC) + timedelta(minutes=n), print, n)
            except Exception as error:
                failures.append(error)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    clock.stop()
    assert failures == []
