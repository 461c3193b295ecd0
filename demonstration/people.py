"""Accounts to try the demonstration with. Their password is known to all, so they belong nowhere else."""

from dataclasses import dataclass

from accounts.people import add_account
from accounts.queries import account_by_email
from models import Organisation, Role, db

PASSWORD = "studionett-demo"


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


def _organisation(name: str | None) -> Organisation | None:
    return None if name is None else db.session.scalars(db.select(Organisation).filter_by(name=name)).one()
