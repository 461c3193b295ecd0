"""What to know of the studios of a conference before it begins. Nothing of it refuses a booking."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from config import settings
from models import Conference, EndpointStatus, Party, Studio
from studios.booking import queries
from studios.booking.finding.question import SOON
from studios.booking.rooms import CLINICAL_WORK, OUT_OF_ORDER
from studios.booking.rules import Phase
from studios.inventory.present import Quality, present_health, quality_of


class Worry(StrEnum):
    """What somebody who books a studio should know of it."""

    QUALITY_FAILED = "quality_failed"
    QUALITY_EXPIRED = "quality_expired"
    OUT_OF_ORDER = "out_of_order"
    OUT_OF_ORDER_AND_SOON = "out_of_order_and_soon"
    NOT_CLINICAL = "not_clinical"


QUALITY = {Quality.FAILED: Worry.QUALITY_FAILED, Quality.EXPIRED: Worry.QUALITY_EXPIRED}


@dataclass(frozen=True)
class Present:
    """The state of the studios' equipment, by studio, as it is known at `now`."""

    now: datetime
    statuses: Mapping[int, EndpointStatus]

    def is_out_of_order(self, studio: Studio) -> bool:
        status = self.statuses.get(studio.id)
        if status is None:
            return False
        stale_after = timedelta(seconds=settings().stale_after)
        return present_health(status.health, status.last_poll_at, False, self.now, stale_after) in OUT_OF_ORDER


def present_of(conferences: Sequence[Conference], now: datetime) -> Present:
    """What is known now of the studios of these conferences. One query."""
    studios = {
        party.reservation.studio_id: party.reservation.studio
        for conference in conferences
        if queries.phase_of(conference) is not Phase.OVER
        for party in conference.parties
        if party.reservation
    }
    return Present(now, queries.statuses_of(list(studios.values())) if studios else {})


@dataclass(frozen=True)
class Concern:
    """A worry about the studio of the party at a position of the table."""

    worry: Worry
    position: int
    studio: Studio


def concerns_of(conference: Conference, present: Present) -> list[Concern]:
    """In the order of the table; none of a conference that is over."""
    if queries.phase_of(conference) is Phase.OVER:
        return []
    return [
        Concern(worry, party.position, studio)
        for party in conference.parties
        if (studio := _seated(party))
        for worry in _worries(conference, studio, present)
    ]


def _seated(party: Party) -> Studio | None:
    held = party.reservation
    return held.studio if held and held.released_at is None else None


def _worries(conference: Conference, studio: Studio, present: Present) -> Iterator[Worry]:
    quality = quality_of(studio.quality_tested_on, studio.quality_test_passed, present.now.date())
    if quality in QUALITY:
        yield QUALITY[quality]
    if present.is_out_of_order(studio):
        soon = conference.starts_at < present.now + SOON
        yield Worry.OUT_OF_ORDER_AND_SOON if soon else Worry.OUT_OF_ORDER
    if conference.purpose in CLINICAL_WORK and not studio.clinical:
        yield Worry.NOT_CLINICAL
