"""What the pages say of the demonstration where it is installed: that it is one, and how to get in."""

from dataclasses import dataclass
from ipaddress import ip_address

from flask import g
from sqlalchemy import select

from config import Settings, settings
from demonstration.people import ACCOUNTS, PASSWORD, DemonstrationAccount
from errors import is_without_database
from models import Account, db


@dataclass(frozen=True)
class Demonstration:
    """`accounts` to sign in as with one press of a button, all with one `password`; none where strangers may come."""

    accounts: tuple[DemonstrationAccount, ...]
    password: str = PASSWORD


def demonstration() -> Demonstration | None:
    """The demonstration, if this is one: nothing but its own accounts tells. Asked for once a request."""
    if is_without_database():
        return None
    if "demonstration" not in g:
        g.demonstration = _demonstration(settings())
    found: Demonstration | None = g.demonstration
    return found


def is_for_all(found: Settings) -> bool:
    """Whether whoever reaches the pages may have the accounts: people at this machine, or all when a setting says so.

    With a proxy in front the pages reach further than the address that they are served on.
    """
    return found.demonstration_sign_in or (_is_loopback(found.host) and not found.trusted_proxy)


def _demonstration(found: Settings) -> Demonstration | None:
    emails = [account.email for account in ACCOUNTS]
    usable = select(Account.email).where(Account.email.in_(emails), Account.disabled_at.is_(None))
    there = set(db.session.scalars(usable))
    if not there:
        return None
    offered = tuple(account for account in ACCOUNTS if account.email in there)
    return Demonstration(offered if is_for_all(found) else ())


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
