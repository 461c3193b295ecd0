"""Who is told of conferences by mail, the addresses at which calendars read them, and people's groups of parties

Revision ID: 005
Revises: 004
"""

import sqlalchemy as sa
from alembic import op

from models.database import UTCDateTime

revision = "005"
down_revision = "004"
branch_labels = None
depends_on = None

TELL_AT = "ix_conference_tell_at"


def upgrade() -> None:
    # Those that are booked already are known to those concerned: nothing is to be told.
    op.add_column("conference", sa.Column("tell_at", UTCDateTime(), nullable=True))
    only = sa.text("tell_at IS NOT NULL")
    op.create_index(op.f(TELL_AT), "conference", ["tell_at"], sqlite_where=only, postgresql_where=only)
    op.create_table(
        "invitation",
        sa.Column("conference_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("cancelled", sa.Boolean(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("told_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["conference_id"], ["conference.id"], name=op.f("fk_invitation_conference_id_conference")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_invitation_account_id_account")),
        sa.PrimaryKeyConstraint("conference_id", "account_id", name=op.f("pk_invitation")),
    )
    op.create_index(op.f("ix_invitation_account_id"), "invitation", ["account_id"])
    op.create_table(
        "feed",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("studio_id", sa.Integer(), nullable=True),
        sa.Column("organisation_id", sa.Integer(), nullable=True),
        sa.Column("secret_hash", sa.String(64), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("last_read_at", UTCDateTime(), nullable=True),
        sa.Column("revoked_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint("studio_id IS NULL OR organisation_id IS NULL", name=op.f("ck_feed_of_one_thing")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_feed_account_id_account")),
        sa.ForeignKeyConstraint(["studio_id"], ["studio.id"], name=op.f("fk_feed_studio_id_studio")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_feed_organisation_id_organisation")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feed")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_feed_secret_hash")),
    )
    for column in ("account_id", "studio_id", "organisation_id"):
        op.create_index(op.f(f"ix_feed_{column}"), "feed", [column])
    op.create_table(
        "party_group",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("parties", sa.JSON(), nullable=False),
        sa.Column("saved_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_party_group_account_id_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_party_group")),
        sa.UniqueConstraint("account_id", "name", name=op.f("uq_party_group_account_id")),
    )


def downgrade() -> None:
    op.drop_table("party_group")
    op.drop_table("feed")
    op.drop_table("invitation")
    op.drop_index(op.f(TELL_AT), "conference")
    op.drop_column("conference", "tell_at")
