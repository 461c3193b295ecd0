"""An index of the holds and requests for approval that can run out

Revision ID: 004
Revises: 003
"""

import sqlalchemy as sa
from alembic import op

revision = "004"
down_revision = "003"
branch_labels = None
depends_on = None

INDEX = "ix_reservation_expires_at"


def upgrade() -> None:
    can_run_out = sa.text("expires_at IS NOT NULL AND released_at IS NULL")
    op.create_index(op.f(INDEX), "reservation", ["expires_at"], sqlite_where=can_run_out, postgresql_where=can_run_out)


def downgrade() -> None:
    op.drop_index(op.f(INDEX), "reservation")
