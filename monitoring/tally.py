"""What polling measures of one endpoint, summed up until it is stored. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

FIVE_MINUTES = timedelta(minutes=5)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Sums:
    """Milliseconds and percent; None where nothing was measured."""

    polls: int
    misses: int
    round_trip_ms: float | None
    longest_round_trip_ms: float | None
    loss_percent: float | None
    jitter_ms: float | None


@dataclass(slots=True)
class Tally:
    polls: int = 0
    misses: int = 0
    round_trips: float = 0.0
    longest: float = 0.0
    media: int = 0
    loss: float = 0.0
    jitter: float = 0.0

    def answered(self, round_trip_ms: float) -> None:
        self.polls += 1
        self.round_trips += round_trip_ms
        self.longest = max(self.longest, round_trip_ms)

    def missed(self) -> None:
        self.polls += 1
        self.misses += 1

    def heard_media(self, loss_percent: float, jitter_ms: float) -> None:
        self.media += 1
        self.loss += loss_percent
        self.jitter += jitter_ms

    def sums(self) -> Sums:
        answers = self.polls - self.misses
        return Sums(
            self.polls,
            self.misses,
            round(self.round_trips / answers, 2) if answers else None,
            round(self.longest, 2) if answers else None,
            round(self.loss / self.media, 3) if self.media else None,
            round(self.jitter / self.media, 2) if self.media else None,
        )


def window_of(now: datetime) -> datetime:
    """The five minutes that an instant lies in, by their beginning."""
    return _EPOCH + (now - _EPOCH) // FIVE_MINUTES * FIVE_MINUTES
