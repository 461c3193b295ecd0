"""Indexes of the few reservations that are holds or can run out

Revision ID: 004
Revises: 003
"""

import sqlalchemy as sa
from alembic import op

revision = "004"
down_revision = "003"
branch_labels = None
depends_on = None

EXPIRES_AT, HOLDS = "ix_reservation_expires_at", "ix_reservation_waiting_request_id"


def upgrade() -> None:
    op.drop_index(op.f(HOLDS), "reservation")
    _create(HOLDS, "waiting_request_id", "waiting_request_id IS NOT NULL")
    _create(EXPIRES_AT, "expires_at", "expires_at IS NOT NULL AND released_at IS NULL")


def downgrade() -> None:
    op.drop_index(op.f(EXPIRES_AT), "reservation")
    op.drop_index(op.f(HOLDS), "reservation")
    op.create_index(op.f(HOLDS), "reservation", ["waiting_request_id"])


def _create(name: str, column: str, where: str) -> None:
    only = sa.text(where)
    op.create_index(op.f(name), "reservation", [column], sqlite_where=only, postgresql_where=only)
