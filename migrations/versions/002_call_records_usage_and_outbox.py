"""Call records, usage and the outbox

Revision ID: 002
Revises: 001
"""

import sqlalchemy as sa
from alembic import op

from models.database import UTCDateTime

revision = "002"
down_revision = "001"
branch_labels = None
depends_on = None

# A leg kept its last connection only; an end that is older than it belongs to an earlier one. What is not up has
# nobody who would close its record.
RECORDS_OF_CALLS_SO_FAR = """
INSERT INTO call_record (leg_id, conference_id, studio_id, connected_at, ended_at)
SELECT leg.id, leg.conference_id, reservation.studio_id, leg.connected_at,
       CASE WHEN leg.ended_at >= leg.connected_at THEN leg.ended_at
            WHEN leg.state NOT IN ('connected', 'stopping') THEN leg.connected_at END
FROM leg JOIN party ON party.id = leg.party_id LEFT JOIN reservation ON reservation.id = party.reservation_id
WHERE leg.connected_at IS NOT NULL
"""


def upgrade() -> None:
    op.create_table(
        "hour_usage",
        sa.Column("starts_at", UTCDateTime(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("conferences", sa.Integer(), nullable=False),
        sa.Column("studios", sa.Integer(), nullable=False),
        sa.Column("booked_seconds", sa.Integer(), nullable=False),
        sa.Column("used_seconds", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("starts_at", name=op.f("pk_hour_usage")),
    )
    op.create_index(op.f("ix_hour_usage_day"), "hour_usage", ["day"], unique=False)
    op.create_table(
        "message",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("recipient", sa.String(length=254), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("attachments", sa.JSON(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.Column("due_at", UTCDateTime(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.String(length=200), nullable=True),
        sa.Column("sent_at", UTCDateTime(), nullable=True),
        sa.Column("given_up_at", UTCDateTime(), nullable=True),
        sa.Column("lease_owner", sa.String(length=80), nullable=True),
        sa.Column("lease_until", UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
        sa.UniqueConstraint("key", name=op.f("uq_message_key")),
    )
    op.create_index(op.f("ix_message_created_at"), "message", ["created_at"], unique=False)
    op.create_index(op.f("ix_message_due_at"), "message", ["due_at"], unique=False)
    op.create_table(
        "report",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("made_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_report")),
    )
    op.create_table(
        "conference_usage",
        sa.Column("conference_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column(
            "purpose",
            sa.Enum(
                "clinical",
                "multidisciplinary",
                "administration",
                "education",
                "test",
                name="purpose",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column(
            "outcome",
            sa.Enum(
                "held",
                "failed",
                "no_show",
                "cancelled",
                "running",
                name="outcome",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("studios", sa.Integer(), nullable=False),
        sa.Column("booked_seconds", sa.Integer(), nullable=False),
        sa.Column("used_seconds", sa.Integer(), nullable=False),
        sa.Column("late_seconds", sa.Integer(), nullable=True),
        sa.Column("as_booked", sa.Boolean(), nullable=False),
        sa.Column("cause", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(["conference_id"], ["conference.id"], name=op.f("fk_conference_usage_conference_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_conference_usage_organisation_id")
        ),
        sa.PrimaryKeyConstraint("conference_id", name=op.f("pk_conference_usage")),
    )
    op.create_index(op.f("ix_conference_usage_day"), "conference_usage", ["day"], unique=False)
    op.create_index(op.f("ix_conference_usage_organisation_id"), "conference_usage", ["organisation_id"], unique=False)
    op.create_table(
        "studio_usage",
        sa.Column("studio_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("booked", sa.Integer(), nullable=False),
        sa.Column("held", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("no_shows", sa.Integer(), nullable=False),
        sa.Column("cancelled", sa.Integer(), nullable=False),
        sa.Column("running", sa.Integer(), nullable=False),
        sa.Column("late", sa.Integer(), nullable=False),
        sa.Column("as_booked", sa.Integer(), nullable=False),
        sa.Column("booked_seconds", sa.Integer(), nullable=False),
        sa.Column("used_seconds", sa.Integer(), nullable=False),
        sa.Column("healthy_seconds", sa.Integer(), nullable=False),
        sa.Column("faulty_seconds", sa.Integer(), nullable=False),
        sa.Column("maintenance_seconds", sa.Integer(), nullable=False),
        sa.Column("unknown_seconds", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["studio_id"], ["studio.id"], name=op.f("fk_studio_usage_studio_id")),
        sa.PrimaryKeyConstraint("studio_id", "day", name=op.f("pk_studio_usage")),
    )
    op.create_index(op.f("ix_studio_usage_day"), "studio_usage", ["day"], unique=False)
    op.create_table(
        "call_record",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("leg_id", sa.Integer(), nullable=False),
        sa.Column("conference_id", sa.Integer(), nullable=False),
        sa.Column("studio_id", sa.Integer(), nullable=True),
        sa.Column("connected_at", UTCDateTime(), nullable=False),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint(
            "ended_at IS NULL OR ended_at >= connected_at", name=op.f("ck_call_record_ends_after_start")
        ),
        sa.ForeignKeyConstraint(["conference_id"], ["conference.id"], name=op.f("fk_call_record_conference_id")),
        sa.ForeignKeyConstraint(["leg_id"], ["leg.id"], name=op.f("fk_call_record_leg_id")),
        sa.ForeignKeyConstraint(["studio_id"], ["studio.id"], name=op.f("fk_call_record_studio_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_record")),
    )
    op.create_index(op.f("ix_call_record_conference_id"), "call_record", ["conference_id"], unique=False)
    op.create_index(
        op.f("ix_call_record_connected_at_ended_at"), "call_record", ["connected_at", "ended_at"], unique=False
    )
    op.create_index(op.f("ix_call_record_leg_id"), "call_record", ["leg_id"], unique=False)
    op.create_index(op.f("ix_call_record_studio_id"), "call_record", ["studio_id"], unique=False)
    op.create_index(
        "uq_call_record_open_leg",
        "call_record",
        ["leg_id"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.execute(RECORDS_OF_CALLS_SO_FAR)
    op.add_column("credential", sa.Column("sealed_privacy", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("credential", "sealed_privacy")
    op.drop_index(
        "uq_call_record_open_leg",
        table_name="call_record",
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.drop_index(op.f("ix_call_record_studio_id"), table_name="call_record")
    op.drop_index(op.f("ix_call_record_leg_id"), table_name="call_record")
    op.drop_index(op.f("ix_call_record_connected_at_ended_at"), table_name="call_record")
    op.drop_index(op.f("ix_call_record_conference_id"), table_name="call_record")
    op.drop_table("call_record")
    op.drop_index(op.f("ix_studio_usage_day"), table_name="studio_usage")
    op.drop_table("studio_usage")
    op.drop_index(op.f("ix_conference_usage_organisation_id"), table_name="conference_usage")
    op.drop_index(op.f("ix_conference_usage_day"), table_name="conference_usage")
    op.drop_table("conference_usage")
    op.drop_table("report")
    op.drop_index(op.f("ix_message_due_at"), table_name="message")
    op.drop_index(op.f("ix_message_created_at"), table_name="message")
    op.drop_table("message")
    op.drop_index(op.f("ix_hour_usage_day"), table_name="hour_usage")
    op.drop_table("hour_usage")
