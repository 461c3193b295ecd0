"""Reads of people and what they hold."""

from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import joinedload, selectinload

from accounts.rules import Access, Grant, with_descendants
from models import Account, ApiToken, Organisation, Role, RoleGrant, SignInAttempt, db

# Stands in the place of the e-mail address where a program, not a person, was refused.
BY_TOKEN = "token"


def account_by_email(email: str) -> Account | None:
    return db.session.scalar(db.select(Account).where(Account.email == email.strip().lower()))


def access_of(account: Account, now: datetime | None = None) -> Access:
    """What the account holds now, each grant with the organisations that it reaches."""
    grants = db.session.scalars(db.select(RoleGrant).where(RoleGrant.account_id == account.id)).all()
    parents = _parents() if any(grant.organisation_id for grant in grants) else {}
    return Access.at(now or datetime.now(UTC), (_reach(grant, parents) for grant in grants))


def grants_of(account: Account, now: datetime) -> list[RoleGrant]:
    """What the account holds now, each with the organisation it was given for."""
    counts = RoleGrant.expires_at.is_(None) | (RoleGrant.expires_at > now)
    query = db.select(RoleGrant).where(RoleGrant.account_id == account.id, counts).order_by(RoleGrant.id)
    return list(db.session.scalars(query.options(joinedload(RoleGrant.organisation))))


def organisations_for(access: Access, *roles: Role) -> list[Organisation]:
    """The organisations a person may act for, by name: first those held by name, and only then all."""
    query = db.select(Organisation).order_by(Organisation.name)
    if not access.everywhere(*roles):
        query = query.where(Organisation.id.in_(access.organisation_ids(*roles)))
    return list(db.session.scalars(query))


def coordinators_of(organisation_id: int) -> list[Account]:
    """Who coordinates for the organisation by name, or for one above it; where nobody does, those who do for all."""
    now = datetime.now(UTC)
    query = (
        db.select(Account, RoleGrant.organisation_id)
        .join(RoleGrant, RoleGrant.account_id == Account.id)
        .where(
            Account.disabled_at.is_(None),
            RoleGrant.role == Role.COORDINATOR,
            RoleGrant.expires_at.is_(None) | (RoleGrant.expires_at > now),
            RoleGrant.organisation_id.is_(None) | RoleGrant.organisation_id.in_(_and_above(organisation_id)),
        )
        .order_by(Account.id)
    )
    found = db.session.execute(query).all()
    by_name = [row.Account for row in found if row.organisation_id is not None]
    return list(dict.fromkeys(by_name or [row.Account for row in found]))


def failed_sign_ins(email: str, address: str, window: float) -> tuple[int, int]:
    """Failures within the last `window` seconds: of this account since it last signed in, and from this address."""
    since = datetime.now(UTC) - timedelta(seconds=window)
    attempts = db.select(SignInAttempt).where(SignInAttempt.at > since)
    of_account = db.session.scalars(
        attempts.where(SignInAttempt.email == email).order_by(SignInAttempt.id.desc())
    ).all()
    failures = next((n for n, attempt in enumerate(of_account) if attempt.succeeded), len(of_account))
    by_address = db.session.scalar(
        db.select(db.func.count())
        .select_from(SignInAttempt)
        .where(
            SignInAttempt.at > since,
            SignInAttempt.address == address,
            SignInAttempt.email != BY_TOKEN,  # a program with an old token keeps no person out
            SignInAttempt.succeeded.is_(False),
        )
    )
    return failures, by_address or 0


def failed_tokens(address: str, window: float) -> int:
    """How many requests from this address came with a token that does not count, within the last `window` seconds."""
    since = datetime.now(UTC) - timedelta(seconds=window)
    refused = SignInAttempt.at > since, SignInAttempt.address == address, SignInAttempt.email == BY_TOKEN
    return db.session.scalar(db.select(db.func.count()).select_from(SignInAttempt).where(*refused)) or 0


def tokens_of(account: Account) -> list[ApiToken]:
    """The account's tokens, newest first; those that have run out or were revoked too."""
    query = db.select(ApiToken).where(ApiToken.account_id == account.id).order_by(ApiToken.id.desc())
    return list(db.session.scalars(query))


def token_by_hash(token_hash: str) -> ApiToken | None:
    query = db.select(ApiToken).where(ApiToken.token_hash == token_hash).options(joinedload(ApiToken.account))
    return db.session.scalar(query)


def all_accounts() -> list[Account]:
    loaded = selectinload(Account.grants).joinedload(RoleGrant.organisation)
    return list(db.session.scalars(db.select(Account).options(loaded).order_by(Account.email)))


def _and_above(organisation_id: int) -> list[int]:
    parents, found = _parents(), [organisation_id]
    while (above := parents.get(found[-1])) is not None and above not in found:
        found.append(above)
    return found


def _parents() -> dict[int, int | None]:
    rows = db.session.execute(db.select(Organisation.id, Organisation.parent_id))
    return {row.id: row.parent_id for row in rows}


def _reach(grant: RoleGrant, parents: dict[int, int | None]) -> Grant:
    reached = None if grant.organisation_id is None else with_descendants({grant.organisation_id}, parents)
    return Grant(grant.role, reached, grant.expires_at)
