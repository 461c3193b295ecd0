"""`studionett check`."""

import sys
from collections.abc import Callable, Iterator, Sequence

import click
from flask.cli import with_appcontext
from sqlalchemy.exc import SQLAlchemyError

from config import Settings, settings
from models import db
from operation.checks import configuration, equipment, surroundings, tables
from operation.checks.finding import Finding, Level, wrong

Check = Callable[[Settings], Finding | Sequence[Finding]]

CHECKS: list[tuple[str, Check]] = [
    ("settings", configuration.names),
    ("secret key", configuration.secret_key),
    ("cookies", configuration.cookies),
    ("web server", configuration.proxy),
    ("address", configuration.port),
    ("time zone", configuration.zone),
    ("languages", surroundings.translations),
    ("assets", surroundings.assets),
    ("certificates", equipment.certificates),
    ("SNMP", equipment.snmp),
    ("mail", surroundings.mail),
    ("database", tables.reachable),
]
# Without a database there is nothing to look at.
CHECKS_OF_TABLES: list[tuple[str, Check]] = [
    ("storage", tables.storage),
    ("tables", tables.migrations),
]
CHECKS_OF_ROWS: list[tuple[str, Check]] = [
    ("guards", tables.guards),
    ("clock", tables.clock),
    ("credentials", equipment.credentials),
    ("endpoints", equipment.endpoints),
    ("accounts", surroundings.demonstration_accounts),
    ("processes", surroundings.running),
]


@click.command("check")
@with_appcontext
def check() -> None:
    """Go through the configuration and say of each thing whether it is well, and if not what mends it."""
    levels = set()
    for name, finding in findings(settings()):
        levels.add(finding.level)
        click.echo(line(name, finding))
    if Level.WRONG in levels:
        sys.exit(1)


def findings(found: Settings) -> Iterator[tuple[str, Finding]]:
    """Each check's, in turn; what rests on a thing that is wrong is not looked at."""
    for group in (CHECKS, CHECKS_OF_TABLES, CHECKS_OF_ROWS):
        last: Level = Level.OK
        for name, look in group:
            for finding in _looked(look, found):
                last = finding.level
                yield name, finding
        # The last check of a group says whether there is anything for the next to look at.
        if last is Level.WRONG:
            return


def _looked(look: Check, found: Settings) -> Sequence[Finding]:
    try:
        told = look(found)
    except SQLAlchemyError as error:
        db.session.rollback()
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        return [wrong(f"The database refuses to say: {reason}.")]
    return [told] if isinstance(told, Finding) else told


def line(name: str, finding: Finding) -> str:
    return f"{finding.level:8} {name}: {finding.text}"


def wrong_settings() -> str:
    """What `studionett check` says where the settings let no application be made: every setting that is wrong."""
    return "\n".join(line("settings", wrong(text)) for text in configuration.wrong_settings())
