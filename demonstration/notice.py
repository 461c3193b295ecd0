"""What the pages say of the demonstration where it is installed: that it is one, and how to get in."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import g, request
from sqlalchemy import select

from config import Settings, is_loopback, settings
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


def is_for_this_machine(found: Settings) -> bool:
    """Whether nothing says that others reach the pages: with a web server in front they reach further than the address
    that they are served on."""
    in_front = found.trusted_proxy or found.secure_cookies or found.public_url
    return is_loopback(found.host) and not in_front


def is_offered(found: Settings, asked_for: str) -> bool:
    """Whether the accounts are for who asks: people at this machine, or all when a setting says so.

    `asked_for` is the name in the browser's address line: who came by another came through something in front.
    """
    return found.demonstration_sign_in or (is_for_this_machine(found) and is_loopback(asked_for))


def _demonstration(found: Settings) -> Demonstration | None:
    emails = [account.email for account in ACCOUNTS]
    usable = select(Account.email).where(Account.email.in_(emails), Account.disabled_at.is_(None))
    there = set(db.session.scalars(usable))
    if not there:
        return None
    offered = tuple(account for account in ACCOUNTS if account.email in there)
    return Demonstration(offered if is_offered(found, _asked_for()) else ())


def _asked_for() -> str:
    try:
        return urlsplit(request.host_url).hostname or ""
    except ValueError:
        return ""
