from datetime import UTC, datetime, timedelta

import pytest

from accounts.rules import Access, Grant, may_try_to_sign_in, session_is_live, with_descendants
from models.accounts import Role

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
IDLE, LENGTH = 1800.0, 8 * 3600.0


def test_a_grant_reaches_its_organisations_and_no_others():
    access = Access.at(NOW, [Grant(Role.COORDINATOR, frozenset({1, 2}))])
    assert access.covers(2, Role.COORDINATOR)
    assert not access.covers(3, Role.COORDINATOR)
    assert not access.covers(2, Role.TECHNICIAN)
    assert not access.covers(None, Role.COORDINATOR)
    assert not access.everywhere(Role.COORDINATOR)


def test_a_grant_for_all_reaches_every_organisation():
    access = Access.at(NOW, [Grant(Role.ADMINISTRATOR, None)])
    assert access.covers(99, Role.COORDINATOR, Role.ADMINISTRATOR)
    assert access.everywhere(Role.ADMINISTRATOR)


def test_an_expired_grant_counts_for_nothing():
    access = Access.at(NOW, [Grant(Role.COORDINATOR, None, expires_at=NOW)])
    assert not access.has(Role.COORDINATOR)
    assert Access.at(NOW - timedelta(seconds=1), [Grant(Role.COORDINATOR, None, expires_at=NOW)]).grants


@pytest.mark.parametrize(
    ("created", "seen", "ended", "live"),
    [
        (0, 0, None, True),
        (IDLE - 1, IDLE - 1, None, True),
        (IDLE, IDLE, None, False),
        (LENGTH - 1, 1, None, True),
        (LENGTH, 1, None, False),
        (10, 10, 5, False),
    ],
)
def test_a_session_ends_when_idle_when_old_and_when_signed_out(created, seen, ended, live):
    ago = [None if seconds is None else NOW - timedelta(seconds=seconds) for seconds in (created, seen, ended)]
    assert session_is_live(*ago, NOW, IDLE, LENGTH) is live


def test_guessing_is_stopped_by_account_and_by_address():
    assert may_try_to_sign_in(4, 49, 5, 50)
    assert not may_try_to_sign_in(5, 0, 5, 50)
    assert not may_try_to_sign_in(0, 50, 5, 50)


def test_descendants_are_found_at_any_depth_and_a_circle_ends():
    parents = {1: None, 2: 1, 3: 2, 4: None, 5: 6, 6: 5}
    assert with_descendants({1}, parents) == {1, 2, 3}
    assert with_descendants({5}, parents) == {5, 6}
