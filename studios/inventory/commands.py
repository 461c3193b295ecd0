"""`studionett inventory` and `studionett credential`."""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import click
from flask.cli import AppGroup

from models import write
from progress import progress_bar
from studios.inventory import credentials
from studios.inventory.cells import Unfit
from studios.inventory.exporting import export_csv
from studios.inventory.importing import Outcome, import_inventory
from studios.inventory.rules import read_inventory

LARGEST_FILE = 50_000_000  # bytes; 10,000 studios are about 3 million

inventory = AppGroup("inventory", help="Organisations, sites, studios and their endpoints.")
credential = AppGroup("credential", help="Users and secrets of endpoints.")


@inventory.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--skip-bad", is_flag=True, help="Import the good rows although others are bad.")
def import_(file: Path, skip_bad: bool) -> None:
    """Create and change studios from a CSV file; a studio that it leaves out stays as it is."""
    name = click.format_filename(file)
    reading = read_inventory(_content_of(file))
    now = datetime.now(UTC)
    with progress_bar("Importing studios") as progress:
        outcome = write(lambda: import_inventory(reading, now, skip_bad, progress))
    for fault in outcome.faults:
        click.echo(f"{name}, {fault}", err=True)
    bad = len({fault.line for fault in outcome.faults})
    if bad and not outcome.imported:
        raise click.ClickException(f"nothing was imported: {name} has {bad} bad line{'s' if bad > 1 else ''}.")
    click.echo(f"Imported {name}: {counts(outcome)}{f'; {bad} bad left out' if bad else ''}.")


@inventory.command("export")
@click.argument("file", type=click.Path(path_type=Path), required=False)
def export(file: Path | None) -> None:
    """Write all studios as a CSV file, or to standard output."""
    content = export_csv()
    if file is None:
        sys.stdout.buffer.write(content.encode())
        return
    try:
        file.write_bytes(content.encode())
    except OSError as error:
        raise click.ClickException(f"{click.format_filename(file)} cannot be written: {error.strerror}.") from None
    click.echo(f"Exported {len(content.splitlines()) - 1} studios to {click.format_filename(file)}.")


@credential.command("set")
@click.argument("name")
@click.option("--user", help="The user name; an SNMP community has none.")
@click.option("--auth", is_flag=False, flag_value="", metavar="[KEY]", help="SNMPv3: the key that authenticates.")
@click.option("--priv", is_flag=False, flag_value="", metavar="[KEY]", help="SNMPv3: the key that encrypts.")
def set_(name: str, user: str | None, auth: str | None, priv: str | None) -> None:
    """Store a secret that is read from standard input.

    With --auth and --priv it is SNMPv3's (SHA-256, AES-128), with two pass phrases of at least 8 characters: in that
    order, a line each, from standard input, unless they stand behind their options.
    """
    try:
        secret, privacy = _secrets(auth, priv)
        now = datetime.now(UTC)
        new = write(lambda: credentials.set_credential(name, user, secret, now, privacy))
    except Unfit as error:
        raise click.ClickException(f"the credential was not stored: {error}.") from None
    click.echo(f"{'Stored' if new else 'Changed'} the credential {name}.")


@credential.command("list")
def list_() -> None:
    """Names, users, kinds, and when each was last changed; never a secret."""
    rows = [("NAME", "USER", "KIND", "CHANGED")]
    rows += [
        (
            row.name,
            row.username or "-",
            "SNMPv3" if row.sealed_privacy else "secret",
            f"{row.changed_at:%Y-%m-%d %H:%M}Z",
        )
        for row in credentials.credentials()
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for *cells, changed in rows:
        click.echo("  ".join([*(f"{cell:{width}}" for cell, width in zip(cells, widths, strict=True)), changed]))


def _secrets(auth: str | None, priv: str | None) -> tuple[str, str | None]:
    """The secret, and SNMPv3's second one; an option without a key is an empty text."""
    if auth is None and priv is None:
        return credentials.secret_of(_standard_input("Secret")), None
    if auth is None or priv is None:
        raise Unfit("SNMPv3 needs both --auth and --priv")
    if auth or priv:
        click.echo("Warning: keys on the command line can be seen by others on this machine.", err=True)
    labels = [label for label, key in (("Authentication key", auth), ("Privacy key", priv)) if not key]
    read = iter(credentials.pass_phrases_of(_standard_input(*labels), len(labels)) if labels else [])
    return _key(auth) or next(read), _key(priv) or next(read)


def _key(given: str) -> str:
    """A key of the command line, held to what one from standard input is."""
    return credentials.secret_of(os.fsencode(given)) if given else ""


def counts(outcome: Outcome) -> str:
    return f"{outcome.created} created, {outcome.changed} changed, {outcome.unchanged} unchanged"


def _content_of(file: Path) -> bytes:
    name = click.format_filename(file)
    try:
        with file.open("rb") as opened:
            content = opened.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as error:  # a name with a NUL in it is a ValueError
        raise click.ClickException(f"{name} cannot be read: {getattr(error, 'strerror', None) or error}.") from None
    if len(content) > LARGEST_FILE:
        raise click.ClickException(f"{name} is larger than {LARGEST_FILE // 1_000_000} MB.")
    return content


def _standard_input(*labels: str) -> bytes:
    """The secrets, a line each; a person at a terminal is asked for them and sees nothing of what is typed."""
    if sys.stdin is None:  # closed
        return b""
    if sys.stdin.isatty():
        try:
            typed = [str(click.prompt(label, hide_input=True, default="", show_default=False)) for label in labels]
        except UnicodeDecodeError:
            raise Unfit("is not UTF-8") from None
        return "\n".join(typed).encode()
    return sys.stdin.buffer.read(credentials.LONGEST_SECRET * 5 * len(labels))
