"""Who may do what, how long a session or a token lasts, when guessing is stopped: pure decisions."""

import enum
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from models.accounts import Role


@dataclass(frozen=True)
class Grant:
    """A role for an organisation and all below it, or for every organisation when `organisation_ids` is None."""

    role: Role
    organisation_ids: frozenset[int] | None
    expires_at: datetime | None = None


@dataclass(frozen=True)
class Access:
    """What a person holds at one moment."""

    grants: tuple[Grant, ...] = ()

    @staticmethod
    def at(now: datetime, grants: Iterable[Grant]) -> "Access":
        return Access(tuple(grant for grant in grants if grant.expires_at is None or grant.expires_at > now))

    @property
    def roles(self) -> frozenset[Role]:
        return frozenset(grant.role for grant in self.grants)

    def has(self, *roles: Role) -> bool:
        return not self.roles.isdisjoint(roles)

    def covers(self, organisation_id: int | None, *roles: Role) -> bool:
        """Whether one of the roles is held for this organisation."""
        return any(
            grant.role in roles and (grant.organisation_ids is None or organisation_id in grant.organisation_ids)
            for grant in self.grants
        )

    def everywhere(self, *roles: Role) -> bool:
        return any(grant.role in roles and grant.organisation_ids is None for grant in self.grants)

    def organisation_ids(self, *roles: Role) -> frozenset[int]:
        """The organisations that a role is held for by name; those of a grant for all are not listed."""
        held = (grant.organisation_ids or frozenset() for grant in self.grants if grant.role in roles)
        return frozenset().union(*held)


def session_is_live(
    created_at: datetime, seen_at: datetime, ended_at: datetime | None, now: datetime, idle: float, length: float
) -> bool:
    """Whether a session still counts: not ended, not idle for `idle` seconds, not older than `length` seconds."""
    if ended_at is not None:
        return False
    return now - seen_at < timedelta(seconds=idle) and now - created_at < timedelta(seconds=length)


class Scope(enum.StrEnum):
    """What a program may do with a token, within what the roles of its account allow."""

    READ = "read"
    BOOK = "book"
    OPERATE = "operate"


def scope_suffices(held: Collection[str], asked: Scope) -> bool:
    """Whether a token's scopes cover what is asked for; who may write may read."""
    return asked in held or (asked is Scope.READ and not set(Scope).isdisjoint(held))


class TokenState(enum.StrEnum):
    LIVE = "live"
    EXPIRED = "expired"
    REVOKED = "revoked"


def token_state(expires_at: datetime, revoked_at: datetime | None, now: datetime) -> TokenState:
    if revoked_at is not None:
        return TokenState.REVOKED
    return TokenState.LIVE if now < expires_at else TokenState.EXPIRED


def may_try_to_sign_in(failures: int, failures_by_address: int, limit: int, limit_by_address: int) -> bool:
    return failures < limit and failures_by_address < limit_by_address


def with_descendants(roots: Collection[int], parents: dict[int, int | None]) -> frozenset[int]:
    """The organisations below `roots`, roots included; `parents` maps each organisation to the one above it."""
    found = set(roots)
    while True:
        more = {child for child, parent in parents.items() if parent in found and child not in found}
        if not more:
            return frozenset(found)
        found |= more
