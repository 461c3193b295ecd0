"""When a fault becomes an incident, told as sentences."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.incidents import Severity
from models.monitoring import Health
from monitoring.incident_rules import (
    CALM,
    SAME_AGAIN,
    WAIT,
    Decision,
    Fault,
    Known,
    Place,
    Present,
    Step,
    Threatened,
    decisions,
    is_to_escalate,
    most_urgent_first,
    priority,
)
from monitoring.rules import Cause

NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
STUDIO, SITE = Place(studio_id=1), Place(site_id=7)
DEAD = Fault(Cause.NO_ANSWER, Severity.CRITICAL)
BLIND = Fault(Cause.CAMERA, Severity.MAJOR)


def present(
    health: Health = Health.DOWN, cause: Cause = Cause.NO_ANSWER, ago: timedelta = WAIT, falls: int = 1
) -> Present:
    return Present(1, health, cause, NOW - ago, falls)


def known(
    fault: Fault = DEAD, place: Place = STUDIO, quiet: timedelta | None = None, resolved: timedelta | None = None
) -> Known:
    return Known(
        5,
        place,
        fault,
        quiet_since=NOW - quiet if quiet is not None else None,
        resolved_at=NOW - resolved if resolved is not None else None,
    )


def steps(*presents: Present, out: tuple[int, ...] = (), incidents: tuple[Known, ...] = ()) -> list[Step]:
    return [each.step for each in decisions(presents, out, incidents, NOW)]


WELL = present(Health.OK, Cause.NONE, falls=0)


def test_a_studio_that_is_down_for_half_a_minute_is_an_incident() -> None:
    assert decisions([present()], (), (), NOW) == [Decision(Step.OPEN, STUDIO, DEAD)]


def test_it_waits_until_the_whole_site_could_have_fallen_silent() -> None:
    assert steps(present(ago=WAIT - SECOND)) == []


@pytest.mark.parametrize(
    ("health", "cause", "severity"),
    [
        (Health.DOWN, Cause.NO_ANSWER, Severity.CRITICAL),
        (Health.DEGRADED, Cause.CAMERA, Severity.MAJOR),
        (Health.DEGRADED, Cause.CONTROL_REFUSED, Severity.MAJOR),
        (Health.DEGRADED, Cause.UNREGISTERED, Severity.MAJOR),
        (Health.DEGRADED, Cause.LOSS, Severity.MINOR),
        (Health.DEGRADED, Cause.SNMP_SILENT, Severity.MINOR),
        (Health.UNKNOWN, Cause.SNMP_KEYS, Severity.MINOR),
    ],
)
def test_how_grave_it_is_is_how_much_of_the_studio_it_takes_away(
    health: Health, cause: Cause, severity: Severity
) -> None:
    [found] = decisions([present(health, cause)], (), (), NOW)
    assert found.fault == Fault(cause, severity)


@pytest.mark.parametrize(
    ("health", "cause"),
    [
        (Health.UNREACHABLE, Cause.SITE_OUTAGE),
        (Health.MAINTENANCE, Cause.CLOSURE),
        (Health.UNKNOWN, Cause.STALE),
        (Health.OK, Cause.NONE),
    ],
)
def test_what_is_shadowed_closed_unknown_or_well_raises_nothing(health: Health, cause: Cause) -> None:
    assert steps(present(health, cause, ago=timedelta(hours=1))) == []


@pytest.mark.parametrize("health", [Health.UNREACHABLE, Health.MAINTENANCE, Health.UNKNOWN])
def test_what_is_shadowed_closed_or_unknown_ends_nothing_either(health: Health) -> None:
    assert steps(present(health, Cause.NONE), incidents=(known(),)) == []
    assert steps(present(health, Cause.NONE), incidents=(known(quiet=CALM),)) == []


def test_a_fault_that_stays_away_is_over_and_one_that_comes_back_is_the_same() -> None:
    assert steps(WELL, incidents=(known(),)) == [Step.QUIETEN]
    assert steps(WELL, incidents=(known(quiet=CALM - SECOND),)) == []
    assert steps(WELL, incidents=(known(quiet=CALM),)) == [Step.RESOLVE]
    assert steps(present(ago=SECOND), incidents=(known(quiet=MINUTE),)) == [Step.RETURN]
    assert steps(present(), incidents=(known(resolved=SAME_AGAIN - SECOND),)) == [Step.REOPEN]
    assert steps(present(), incidents=(known(resolved=SAME_AGAIN),)) == [Step.OPEN]


def test_a_clock_that_was_set_back_does_not_keep_an_incident_open() -> None:
    assert steps(WELL, incidents=(known(quiet=-timedelta(hours=1)),)) == [Step.RESOLVE]


def test_another_fault_of_the_same_studio_is_the_same_incident() -> None:
    found = decisions([present()], (), (known(BLIND),), NOW)
    assert found == [Decision(Step.CHANGE, STUDIO, DEAD, 5)]
    assert steps(present(), incidents=(known(),)) == []


def test_falls_too_short_to_be_one_each_are_one_together() -> None:
    brief = present(ago=SECOND, falls=3)
    assert steps(brief) == [Step.OPEN]
    up_again = present(Health.OK, Cause.NONE, ago=SECOND, falls=3)
    [found] = decisions([up_again], (), (), NOW)
    assert (found.step, found.fault.cause) == (Step.OPEN, Cause.FLAPPING)
    assert steps(present(Health.OK, Cause.NONE, ago=SECOND, falls=2)) == []


def test_one_that_flaps_is_not_resolved_between_two_falls() -> None:
    up_again = present(Health.OK, Cause.NONE, ago=SECOND, falls=3)
    assert steps(up_again, incidents=(known(quiet=CALM),)) == []


def test_flaps_from_before_it_was_resolved_do_not_open_it_again() -> None:
    up_again = present(Health.OK, Cause.NONE, ago=2 * MINUTE, falls=3)
    assert steps(up_again, incidents=(known(resolved=MINUTE),)) == []
    assert steps(up_again, incidents=(known(resolved=3 * MINUTE),)) == [Step.REOPEN]


def test_a_silent_site_is_one_incident_that_ends_when_it_is_back() -> None:
    assert decisions([], [7], (), NOW) == [Decision(Step.OPEN, SITE, Fault(Cause.SITE_OUTAGE, Severity.CRITICAL))]
    outage = known(Fault(Cause.SITE_OUTAGE, Severity.CRITICAL), SITE)
    assert steps(out=(7,), incidents=(outage,)) == []
    assert steps(incidents=(outage,)) == [Step.QUIETEN]


def test_each_place_gets_at_most_one_decision_and_open_ones_are_never_opened_again() -> None:
    found = decisions([present()], [7], (known(resolved=MINUTE), Known(6, STUDIO, DEAD)), NOW)
    assert [each.place for each in found] == [SITE]


# Priority


def threatened(minutes: float, participants: int = 2, clinical: bool = False) -> Threatened:
    return Threatened(NOW + timedelta(minutes=minutes), participants, clinical)


def urgency(severity: Severity, *conferences: Threatened) -> float:
    return priority(severity, conferences, NOW)


def test_a_silent_studio_with_a_conference_in_20_minutes_outranks_ten_unused_ones() -> None:
    booked = urgency(Severity.CRITICAL, threatened(20))
    assert booked > 10 * urgency(Severity.CRITICAL)
    order = most_urgent_first(
        {**dict.fromkeys(range(10), 0.0), 10: booked}, dict.fromkeys(range(11), (Severity.CRITICAL, NOW))
    )
    assert order[0] == 10


def test_by_hand() -> None:
    """Critical (10) x 4 x clinical (3) / 20 minutes; what runs or begins at once counts as in 5 minutes."""
    assert urgency(Severity.CRITICAL, threatened(20, 4, True)) == 6
    assert urgency(Severity.MINOR, threatened(-30)) == urgency(Severity.MINOR, threatened(5)) == 0.4
    assert urgency(Severity.CRITICAL, threatened(24 * 60 + 1)) == 0


@given(st.floats(5, 1400), st.floats(0.1, 30), st.integers(2, 30), st.booleans())
def test_sooner_larger_clinical_and_graver_never_counts_less(
    minutes: float, less: float, people: int, clinical: bool
) -> None:
    base = urgency(Severity.MAJOR, threatened(minutes, people, clinical))
    assert urgency(Severity.MAJOR, threatened(minutes - less, people, clinical)) >= base
    assert urgency(Severity.MAJOR, threatened(minutes, people + 1, clinical)) > base
    assert urgency(Severity.MAJOR, threatened(minutes, people, True)) >= base
    assert urgency(Severity.CRITICAL, threatened(minutes, people, clinical)) > base > 0


def test_in_the_lowest_band_the_gravest_and_then_the_oldest_come_first() -> None:
    incidents = {1: (Severity.MINOR, NOW), 2: (Severity.CRITICAL, NOW), 3: (Severity.CRITICAL, NOW - MINUTE)}
    assert most_urgent_first(dict.fromkeys(incidents, 0.0), incidents) == [3, 2, 1]


def test_who_is_next_is_told_only_of_what_nobody_works_on() -> None:
    def due(
        acknowledged: bool = False, quiet: bool = False, closed: bool = False, told: timedelta = 15 * MINUTE
    ) -> bool:
        return is_to_escalate(acknowledged, quiet, closed, NOW - told, 15 * MINUTE, NOW)

    assert due()
    assert not due(acknowledged=True)
    assert not due(quiet=True)
    assert not due(closed=True)
    assert not due(told=15 * MINUTE - SECOND)
    assert not is_to_escalate(False, False, False, None, MINUTE, NOW)
