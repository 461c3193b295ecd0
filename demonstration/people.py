"""Accounts to try the demonstration with, whose password is known to all, so that they belong nowhere else; and the
planners, who have booked its invented conferences and cannot sign in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, selectinload

from accounts.people import add_account, add_grant
from accounts.queries import account_by_email
from demonstration.inventory_plan import slug
from models import Account, Organisation, OrganisationKind, Role, RoleGrant, db

PASSWORD = "studionett-demo"
NO_PASSWORD = "none"  # nothing hashes to it
PLANNER = "planlegger."
WITH_PLANNERS = (
    OrganisationKind.HEALTH_TRUST,
    OrganisationKind.REGIONAL_AUTHORITY,
    OrganisationKind.NETWORK_OWNER,
)


@dataclass(frozen=True)
class DemonstrationAccount:
    """Without an organisation the role reaches all of them."""

    email: str
    name: str
    role: Role
    organisation: str | None = None


ACCOUNTS = (
    DemonstrationAccount(
        "koordinator@demo.example", "Koordinator UNN", Role.COORDINATOR, "Universitetssykehuset Nord-Norge HF"
    ),
    DemonstrationAccount(
        "koordinator.bodo@demo.example", "Koordinator Bodø", Role.COORDINATOR, "Nordlandssykehuset HF"
    ),
    DemonstrationAccount("tekniker@demo.example", "Tekniker", Role.TECHNICIAN),
    DemonstrationAccount("leder@demo.example", "Leder", Role.MANAGER),
    DemonstrationAccount("administrator@demo.example", "Administrator", Role.ADMINISTRATOR),
)


def keep_accounts() -> int:
    """Add the accounts that are missing, and say how many those were. The caller commits."""
    missing = [account for account in ACCOUNTS if account_by_email(account.email) is None]
    for account in missing:
        add_account(account.email, account.name, PASSWORD, [(account.role, _organisation(account.organisation))])
    return len(missing)


def lines() -> list[str]:
    """One line an account that is there: e-mail, password, role, organisation."""
    width = max(len(account.email) for account in ACCOUNTS)
    return [
        f"{account.email:{width}}  {PASSWORD}  {account.role:13}  {account.organisation or 'all organisations'}"
        for account in ACCOUNTS
        if account_by_email(account.email)
    ]


def keep_planners(now: datetime) -> None:
    """One for each health trust, regional authority and the owner, if they are not there. The caller commits."""
    there = {account.email for account in planners()}
    query = db.select(Organisation).where(Organisation.kind.in_(WITH_PLANNERS)).order_by(Organisation.name)
    for organisation in db.session.scalars(query).all():
        email = f"{PLANNER}{slug(organisation.name).lower()}@demo.example"
        if email in there:
            continue
        name = f"Planlegger {organisation.name}"
        account = Account(email=email, name=name, password_hash=NO_PASSWORD, created_at=now)
        db.session.add(account)
        db.session.flush()
        add_grant(account, Role.COORDINATOR, organisation)


def planners() -> Sequence[Account]:
    grants = selectinload(Account.grants).options(joinedload(RoleGrant.organisation))
    query = db.select(Account).where(Account.id.in_(_planner_ids())).options(grants).order_by(Account.email)
    return db.session.scalars(query).all()


def is_planner(account_id: Any) -> sa.ColumnElement[bool]:
    """Whether a column's account is a planner."""
    return sa.and_(account_id.in_(_planner_ids()))


def coordinator() -> Account | None:
    """The one whose own conferences are soon."""
    return account_by_email(ACCOUNTS[0].email)


def _planner_ids() -> sa.Select[Any]:
    return sa.select(Account.id).where(Account.email.like(f"{PLANNER}%@demo.example"))


def _organisation(name: str | None) -> Organisation | None:
    return None if name is None else db.session.scalars(db.select(Organisation).filter_by(name=name)).one()
