"""A poll that somebody wants stands in a column of its own; two indexes that nothing reads go

Revision ID: 008
Revises: 007
"""

import sqlalchemy as sa
from alembic import op

from models.database import UTCDateTime

revision = "008"
down_revision = "007"
branch_labels = None
depends_on = None

# Written at each save of a poll, and read by no query.
UNREAD = ("last_answer_at", "due_at")


def upgrade() -> None:
    op.add_column("endpoint_status", sa.Column("wanted_at", UTCDateTime(), nullable=True))
    for column in UNREAD:
        op.drop_index(op.f(f"ix_endpoint_status_{column}"), table_name="endpoint_status")


def downgrade() -> None:
    for column in UNREAD:
        op.create_index(op.f(f"ix_endpoint_status_{column}"), "endpoint_status", [column])
    op.drop_column("endpoint_status", "wanted_at")
