"""Alembic's entry: run the migrations on the application's own database."""

from typing import Any, Literal

import sqlalchemy as sa
from alembic import context
from flask import current_app

from models import UTCDateTime, db


def render_item(kind: str, item: object, autogen_context: Any) -> str | Literal[False]:
    """Write our column type by its name in new migrations."""
    if kind == "type" and isinstance(item, UTCDateTime):
        autogen_context.imports.add("from models.database import UTCDateTime")
        return "UTCDateTime()"
    return False


def run() -> None:
    engine: sa.Engine = current_app.extensions["migrate"].db.engine
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            compare_type=True,
            render_item=render_item,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()


run()
