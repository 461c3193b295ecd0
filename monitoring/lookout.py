"""One look at what stirred serves all open pages that ask at about the same time: five hundred of them ask as one.

A page hears of things by `LOOK_EVERY` (seconds, of app.config) later for it.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock

from flask import Flask, current_app

from monitoring.stirrings import Cursor, Stirring

LOOK_EVERY = 0.3
_NAME = "lookout"

Look = Callable[[datetime, datetime], list[Stirring]]


@dataclass(frozen=True, slots=True)
class Seen:
    """What was found from `after` on, at `now` by the database's clock; `taken_at` by this process's steady one."""

    after: datetime
    now: datetime
    taken_at: float
    found: list[Stirring]


@dataclass
class Lookout:
    """Of one process. `every`: how long a look serves, in seconds."""

    every: float
    _lock: Lock = field(default_factory=Lock)
    _seen: Seen | None = None
    _asked: datetime | None = None

    def look(self, cursor: Cursor, clock: Callable[[], datetime], look: Look) -> Seen:
        """What the cursor may not have seen; who comes while somebody looks waits and gets the same."""
        with self._lock:
            seen = self._seen
            reach = cursor.reach
            if seen is None or seen.after > reach or time.monotonic() - seen.taken_at >= self.every:
                # As far back as anybody asked of late, so that one who looks far back does not make all look again.
                after = min(reach, self._asked) if self._asked is not None else reach
                now = clock()
                seen = self._seen = Seen(after, now, time.monotonic(), look(after, now))
                self._asked = None
            self._asked = min(reach, self._asked) if self._asked is not None else reach
        return Seen(seen.after, seen.now, seen.taken_at, [one for one in seen.found if one.at > reach])


def init_app(app: Flask) -> None:
    app.config.setdefault("LOOK_EVERY", LOOK_EVERY)


def lookout() -> Lookout:
    found = current_app.extensions.setdefault(_NAME, Lookout(current_app.config["LOOK_EVERY"]))
    assert isinstance(found, Lookout)
    return found
