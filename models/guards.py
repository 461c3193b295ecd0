"""What the database itself refuses beyond plain constraints: overlapping reservations, a rewritten audit trail.

On PostgreSQL the overlap guard is an exclusion constraint, on SQLite two triggers. Alembic's batch mode rebuilds a
SQLite table and silently drops its triggers: a migration that rebuilds `reservation` or `audit_entry` calls
`create_guards` afterwards, and a test tries the guards at every revision.
"""

import sqlalchemy as sa

OVERLAP = "reservation_overlap"
APPEND_ONLY = "audit_append_only"

_SQLITE_OVERLAPS = f"""
WHEN NEW.released_at IS NULL AND EXISTS (
    SELECT 1 FROM reservation AS other
    WHERE other.studio_id = NEW.studio_id AND other.released_at IS NULL AND other.id IS NOT NEW.id
      AND other.starts_at < NEW.ends_at AND other.ends_at > NEW.starts_at)
BEGIN SELECT RAISE(ABORT, '{OVERLAP}'); END
"""

_CREATE = {
    "sqlite": [
        f"CREATE TRIGGER {OVERLAP}_insert BEFORE INSERT ON reservation {_SQLITE_OVERLAPS}",
        f"CREATE TRIGGER {OVERLAP}_update BEFORE UPDATE ON reservation {_SQLITE_OVERLAPS}",
        f"CREATE TRIGGER {APPEND_ONLY}_update BEFORE UPDATE ON audit_entry "
        f"BEGIN SELECT RAISE(ABORT, '{APPEND_ONLY}'); END",
        f"CREATE TRIGGER {APPEND_ONLY}_delete BEFORE DELETE ON audit_entry "
        f"BEGIN SELECT RAISE(ABORT, '{APPEND_ONLY}'); END",
    ],
    "postgresql": [
        # int4range stands in for equality of the studio, so that the btree_gist extension is not needed.
        f"ALTER TABLE reservation ADD CONSTRAINT {OVERLAP} EXCLUDE USING gist "
        "(int4range(studio_id, studio_id, '[]') WITH &&, tstzrange(starts_at, ends_at) WITH &&) "
        "WHERE (released_at IS NULL)",
        f"CREATE FUNCTION {APPEND_ONLY}() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{APPEND_ONLY}'; END $$",
        f"CREATE TRIGGER {APPEND_ONLY} BEFORE UPDATE OR DELETE ON audit_entry "
        f"FOR EACH ROW EXECUTE FUNCTION {APPEND_ONLY}()",
    ],
}

_DROP = {
    "sqlite": [
        f"DROP TRIGGER IF EXISTS {name}_{event}"
        for name, event in (
            (OVERLAP, "insert"),
            (OVERLAP, "update"),
            (APPEND_ONLY, "update"),
            (APPEND_ONLY, "delete"),
        )
    ],
    "postgresql": [
        f"ALTER TABLE reservation DROP CONSTRAINT IF EXISTS {OVERLAP}",
        f"DROP TRIGGER IF EXISTS {APPEND_ONLY} ON audit_entry",
        f"DROP FUNCTION IF EXISTS {APPEND_ONLY}()",
    ],
}

# The names of the guards, and the question which of them stand: on their own table, valid and switched on.
_STANDING = {
    "sqlite": (
        [f"{OVERLAP}_insert", f"{OVERLAP}_update", f"{APPEND_ONLY}_update", f"{APPEND_ONLY}_delete"],
        "SELECT name FROM sqlite_master WHERE type = 'trigger' AND "
        f"tbl_name = CASE WHEN name LIKE '{OVERLAP}%' THEN 'reservation' ELSE 'audit_entry' END",
    ),
    "postgresql": (
        [OVERLAP, APPEND_ONLY],
        "SELECT conname FROM pg_constraint WHERE contype = 'x' AND convalidated "
        "AND conrelid = to_regclass('reservation') UNION ALL "
        "SELECT tgname FROM pg_trigger WHERE tgenabled IN ('O', 'A') AND tgrelid = to_regclass('audit_entry')",
    ),
}


def create_guards(connection: sa.Connection) -> None:
    """Put every guard in place, whatever was there before."""
    drop_guards(connection)
    for statement in _CREATE[connection.dialect.name]:
        connection.execute(sa.text(statement))


def drop_guards(connection: sa.Connection) -> None:
    for statement in _DROP[connection.dialect.name]:
        connection.execute(sa.text(statement))


def missing_guards(connection: sa.Connection) -> list[str]:
    """The guards that should stand in this database and do not, by name."""
    wanted, query = _STANDING[connection.dialect.name]
    return sorted(set(wanted) - {str(name) for name in connection.scalars(sa.text(query))})


def is_overlap(error: sa.exc.DBAPIError) -> bool:
    """Whether the database refused a reservation because the studio's time is taken."""
    return OVERLAP in str(error.orig)
