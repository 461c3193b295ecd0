"""`studionett mail ...`."""

from datetime import UTC, datetime, timedelta
from secrets import token_hex
from time import monotonic
from zoneinfo import ZoneInfo

import click
from flask.cli import AppGroup

from config import Settings, settings
from messages.composing import compose
from messages.queries import backlog, given_up_since, sent_since
from messages.rules import mailbox
from messages.smtp import MailFailed, connected

PATIENCE = 60.0  # seconds, for one mail
SUBJECT = "A test from Studionett"
BODY = "Somebody who runs Studionett asked for this mail to see whether mail arrives. Nothing needs to be done.\n"
NO_SERVER = "No mail server is set (STUDIONETT_SMTP_URL): nothing is sent."

mail = AppGroup("mail", help="The outbox and the mail server.")


@mail.command("status")
def status() -> None:
    """Show what waits, what was sent today, and what was given up in the last week."""
    found, waits = settings(), backlog()
    now = datetime.now(ZoneInfo(found.zone))
    if found.smtp_url is None:
        click.echo(NO_SERVER)
    since = f", the oldest since {_wall_time(waits.waiting_since, found)}" if waits.waiting_since else ""
    click.echo(f"Waiting: {waits.waiting}{since}.")
    if waits.last_error:
        click.echo(f"Last error: {waits.last_error}")
    click.echo(f"Sent today: {sent_since(now.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC))}.")
    lost = given_up_since(now.astimezone(UTC) - timedelta(days=7))
    click.echo(f"Given up in the last 7 days: {lost.count}." + (f" The last: {lost.last_error}" if lost.count else ""))


@mail.command("test")
@click.argument("address")
def test(address: str) -> None:
    """Send a mail to ADDRESS now, round the outbox, and say what fails."""
    found = settings()
    recipient = mailbox(address)
    if recipient is None:
        raise click.ClickException(f"{address} is not an address that mail can be sent to.")
    try:
        where = _send_test(found, recipient)
    except MailFailed as failure:
        raise click.ClickException(str(failure)) from None
    click.echo(f"Sent a test to {address}: {where} took it.")


def _send_test(found: Settings, recipient: str) -> str:
    """Returns who took it, and how it went there."""
    server, sender = found.smtp_url, found.mail_from
    if server is None or sender is None:
        raise click.ClickException(NO_SERVER)
    key, now = f"test-{token_hex(16)}", datetime.now(UTC)
    written = compose(key=key, created_at=now, sender=sender, recipient=recipient, subject=SUBJECT, body=BODY)
    with connected(server, found.smtp_ca) as connection:
        connection.hand_over(sender.addr_spec, recipient, written.as_bytes(), monotonic() + PATIENCE)
    return f"{server.host}:{server.port} ({server.tls})"


def _wall_time(instant: datetime, found: Settings) -> str:
    return f"{instant.astimezone(ZoneInfo(found.zone)):%Y-%m-%d %H:%M}"
