"""What the database itself refuses beyond plain constraints, whoever writes and however many at once.

| guard | what it refuses |
| --- | --- |
| `reservation_overlap` | two reservations of a studio, not released, at one time |
| `reservation_length` | a reservation of more than 48 hours |
| `reservation_closed` | a new reservation, or one that grows, within a closure of the studio or its site |
| `conference_state` | a state that a conference never comes to from the one it is in |
| `bridge_ports` | more ports of a bridge at any instant than it has |
| `audit_append_only` | an audit entry changed or deleted |

On PostgreSQL the overlap guard is an exclusion constraint; all others are triggers. Alembic's batch mode rebuilds a
SQLite table and silently drops its triggers: a migration that rebuilds one of these tables calls `create_guards`
afterwards, and a test tries the guards at every revision.
"""

from collections.abc import Collection
from typing import NamedTuple

import sqlalchemy as sa

OVERLAP = "reservation_overlap"
LENGTH = "reservation_length"
CLOSED = "reservation_closed"
STATE = "conference_state"
PORTS = "bridge_ports"
APPEND_ONLY = "audit_append_only"

# The guards of the first tables, for the migrations before the others came.
FIRST = (OVERLAP, APPEND_ONLY)
ALL = (OVERLAP, LENGTH, CLOSED, STATE, PORTS, APPEND_ONLY)

# No reservation is longer. What overlaps a time has therefore begun within so many hours before it, and is found
# without reading a studio's whole past.
LONGEST_HOURS = 48

_OVER = "('ended', 'failed', 'cancelled')"
_LIVE = "('starting', 'running', 'degraded', 'stopping')"

# What the state machine does not reach: an ended or failed conference stays so, a cancelled one is planned again at
# most, and one whose calls were set up is never only planned, nor cancelled, again.
_UNREACHABLE = f"""
OLD.state <> NEW.state AND (OLD.state IN ('ended', 'failed') OR (OLD.state = 'cancelled' AND NEW.state <> 'planned')
OR (OLD.state IN {_LIVE} AND NEW.state IN ('planned', 'cancelled')))
"""

_CLOSURE_IN_THE_WAY = """
EXISTS (SELECT 1 FROM closure JOIN studio ON studio.id = NEW.studio_id
        WHERE (closure.studio_id = studio.id OR closure.site_id = studio.site_id)
          AND closure.starts_at < NEW.ends_at AND closure.ends_at > NEW.starts_at)
"""
_GROWS = """
(OLD.released_at IS NOT NULL OR NEW.studio_id <> OLD.studio_id
 OR NEW.starts_at < OLD.starts_at OR NEW.ends_at > OLD.ends_at)
"""

# Only who newly wants ports is refused: what a bridge has promised before its ports were made fewer still starts.
_PORTS_WANTED = f"""
(OLD.state IN {_OVER} OR OLD.bridge_id {{differs}} NEW.bridge_id OR NEW.ports > OLD.ports
 OR NEW.starts_at < OLD.starts_at OR NEW.ends_at > OLD.ends_at)
"""
# The most that is taken at once within a time is reached at its beginning or where another conference begins. What
# lasts at an instant has begun within the longest time there is before it: the bridge's whole past is not read.
_PORTS_EXCEEDED = f"""
NEW.ports > 0 AND NEW.state NOT IN {_OVER} AND NEW.ports + (
    SELECT COALESCE(MAX(taken), 0) FROM (
        SELECT (SELECT COALESCE(SUM(other.ports), 0) FROM conference AS other
                WHERE other.bridge_id = NEW.bridge_id AND other.id <> COALESCE(NEW.id, 0)
                  AND other.state NOT IN {_OVER}
                  AND other.starts_at <= begun.instant AND other.ends_at > begun.instant
                  AND other.starts_at > {{bound}}) AS taken
        FROM (SELECT NEW.starts_at AS instant UNION
              SELECT starts_at FROM conference WHERE bridge_id = NEW.bridge_id
                AND starts_at > NEW.starts_at AND starts_at < NEW.ends_at) AS begun) AS peaks
) > (SELECT bridge.ports FROM bridge WHERE bridge.id = NEW.bridge_id)
"""
_PORTS = {
    "sqlite": {"differs": "IS NOT", "bound": f"strftime('%Y-%m-%d %H:%M:%S', begun.instant, '-{LONGEST_HOURS} hours')"},
    "postgresql": {"differs": "IS DISTINCT FROM", "bound": f"begun.instant - interval '{LONGEST_HOURS} hours'"},
}
_PORTS_WANTED_ON = {dialect: _PORTS_WANTED.format(**words) for dialect, words in _PORTS.items()}
_PORTS_EXCEEDED_ON = {dialect: _PORTS_EXCEEDED.format(**words) for dialect, words in _PORTS.items()}
_PORTS_COLUMNS = "bridge_id, ports, starts_at, ends_at, state"


class _Guard(NamedTuple):
    table: str
    create: list[str]
    drop: list[str]
    stands_as: list[str]
    """The names under which the database lists it."""


def _sqlite(name: str, table: str, *triggers: tuple[str, str, str]) -> _Guard:
    """Triggers that refuse: for each a suffix, the event, and the condition."""
    return _Guard(
        table,
        [
            f"CREATE TRIGGER {name}_{suffix} BEFORE {event} ON {table} WHEN {when} "
            f"BEGIN SELECT RAISE(ABORT, '{name}'); END"
            for suffix, event, when in triggers
        ],
        [f"DROP TRIGGER IF EXISTS {name}_{suffix}" for suffix, _event, _when in triggers],
        [f"{name}_{suffix}" for suffix, _event, _when in triggers],
    )


def _postgresql(name: str, table: str, events: str, when: str, lock: str = "") -> _Guard:
    """A trigger that refuses under a condition; `lock` comes first, so that no other writer changes what it reads."""
    body = f"BEGIN {lock} IF {when} THEN RAISE EXCEPTION '{name}'; END IF; RETURN NEW; END"
    return _Guard(
        table,
        [
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$",
            f"CREATE TRIGGER {name} BEFORE {events} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()",
        ],
        [f"DROP TRIGGER IF EXISTS {name} ON {table}", f"DROP FUNCTION IF EXISTS {name}()"],
        [name],
    )


_SQLITE_OVERLAPS = f"""
NEW.released_at IS NULL AND EXISTS (
    SELECT 1 FROM reservation AS other
    WHERE other.studio_id = NEW.studio_id AND other.released_at IS NULL AND other.id IS NOT NEW.id
      AND other.starts_at < NEW.ends_at AND other.ends_at > NEW.starts_at
      AND other.starts_at > strftime('%Y-%m-%d %H:%M:%S', NEW.starts_at, '-{LONGEST_HOURS} hours'))
"""
_SQLITE_TOO_LONG = f"NEW.ends_at > strftime('%Y-%m-%d %H:%M:%f', NEW.starts_at, '+{LONGEST_HOURS} hours') || '000'"
_SQLITE_CLOSED = f"NEW.released_at IS NULL AND {_CLOSURE_IN_THE_WAY}"

_GUARDS: dict[str, dict[str, _Guard]] = {
    "sqlite": {
        OVERLAP: _sqlite(
            OVERLAP, "reservation", ("insert", "INSERT", _SQLITE_OVERLAPS), ("update", "UPDATE", _SQLITE_OVERLAPS)
        ),
        LENGTH: _sqlite(
            LENGTH, "reservation", ("insert", "INSERT", _SQLITE_TOO_LONG), ("update", "UPDATE", _SQLITE_TOO_LONG)
        ),
        CLOSED: _sqlite(
            CLOSED,
            "reservation",
            ("insert", "INSERT", _SQLITE_CLOSED),
            (
                "update",
                "UPDATE OF studio_id, starts_at, ends_at, released_at",
                f"{_SQLITE_CLOSED} AND {_GROWS}",
            ),
        ),
        STATE: _sqlite(STATE, "conference", ("update", "UPDATE OF state", _UNREACHABLE)),
        PORTS: _sqlite(
            PORTS,
            "conference",
            ("insert", "INSERT", _PORTS_EXCEEDED_ON["sqlite"]),
            (
                "update",
                f"UPDATE OF {_PORTS_COLUMNS}",
                f"{_PORTS_WANTED_ON['sqlite']} AND {_PORTS_EXCEEDED_ON['sqlite']}",
            ),
        ),
        APPEND_ONLY: _sqlite(APPEND_ONLY, "audit_entry", ("update", "UPDATE", "TRUE"), ("delete", "DELETE", "TRUE")),
    },
    "postgresql": {
        OVERLAP: _Guard(
            "reservation",
            [
                # int4range stands in for equality of the studio, so that the btree_gist extension is not needed.
                f"ALTER TABLE reservation ADD CONSTRAINT {OVERLAP} EXCLUDE USING gist "
                "(int4range(studio_id, studio_id, '[]') WITH &&, tstzrange(starts_at, ends_at) WITH &&) "
                "WHERE (released_at IS NULL)"
            ],
            [f"ALTER TABLE reservation DROP CONSTRAINT IF EXISTS {OVERLAP}"],
            [OVERLAP],
        ),
        LENGTH: _postgresql(
            LENGTH,
            "reservation",
            "INSERT OR UPDATE OF starts_at, ends_at",
            f"NEW.ends_at - NEW.starts_at > interval '{LONGEST_HOURS} hours'",
        ),
        CLOSED: _postgresql(
            CLOSED,
            "reservation",
            "INSERT OR UPDATE OF studio_id, starts_at, ends_at, released_at",
            f"NEW.released_at IS NULL AND (TG_OP = 'INSERT' OR {_GROWS}) AND {_CLOSURE_IN_THE_WAY}",
        ),
        STATE: _postgresql(STATE, "conference", "UPDATE OF state", _UNREACHABLE),
        PORTS: _postgresql(
            PORTS,
            "conference",
            f"INSERT OR UPDATE OF {_PORTS_COLUMNS}",
            _PORTS_EXCEEDED_ON["postgresql"],
            # Who holds the bridge's row is the only one that counts; whoever wants nothing more waits for nobody.
            lock=f"IF TG_OP = 'UPDATE' AND NOT {_PORTS_WANTED_ON['postgresql']} THEN RETURN NEW; END IF; "
            "IF NEW.ports > 0 THEN PERFORM 1 FROM bridge WHERE id = NEW.bridge_id FOR UPDATE; END IF;",
        ),
        APPEND_ONLY: _postgresql(APPEND_ONLY, "audit_entry", "UPDATE OR DELETE", "TRUE"),
    },
}

# Which guards stand: each on its own table, valid and switched on.
_STANDING = {
    "sqlite": "SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT conname, conrelid::regclass::text FROM pg_constraint WHERE contype = 'x' AND convalidated "
    "UNION ALL SELECT tgname, tgrelid::regclass::text FROM pg_trigger WHERE tgenabled IN ('O', 'A')",
}


def create_guards(connection: sa.Connection, names: Collection[str] = ALL) -> None:
    """Put these guards in place, whatever was there before."""
    drop_guards(connection, names)
    for name in names:
        for statement in _GUARDS[connection.dialect.name][name].create:
            connection.execute(sa.text(statement))


def drop_guards(connection: sa.Connection, names: Collection[str] = ALL) -> None:
    for name in names:
        for statement in _GUARDS[connection.dialect.name][name].drop:
            connection.execute(sa.text(statement))


def missing_guards(connection: sa.Connection) -> list[str]:
    """The guards that should stand in this database and do not, by name."""
    guards = _GUARDS[connection.dialect.name].values()
    wanted = {(name, guard.table) for guard in guards for name in guard.stands_as}
    standing = {
        (str(name), str(table)) for name, table in connection.execute(sa.text(_STANDING[connection.dialect.name]))
    }
    return sorted(name for name, _table in wanted - standing)


def is_overlap(error: sa.exc.DBAPIError) -> bool:
    """Whether the database refused a reservation because the studio's time is taken."""
    return OVERLAP in str(error.orig)


def is_closed(error: sa.exc.DBAPIError) -> bool:
    """Whether the database refused a reservation because the studio or its site is closed."""
    return CLOSED in str(error.orig)


def is_out_of_ports(error: sa.exc.DBAPIError) -> bool:
    """Whether the database refused a conference because its bridge has no ports left."""
    return PORTS in str(error.orig)
