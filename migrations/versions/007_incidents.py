"""Faults that people work on, looks before conferences, what polling measured, and who is told of what

Revision ID: 007
Revises: 006
"""

import sqlalchemy as sa
from alembic import op

from models.database import UTCDateTime

revision = "007"
down_revision = "006"
branch_labels = None
depends_on = None

REFERENCES = (("event", "incident_id", "incident"), ("message", "signed_with_id", "credential"))


def upgrade() -> None:
    op.create_table(
        "on_call",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("url", sa.String(length=255), nullable=True),
        sa.Column("credential_id", sa.Integer(), nullable=True),
        sa.Column("health_region", sa.String(length=40), nullable=False),
        sa.Column("starts_at", UTCDateTime(), nullable=False),
        sa.Column("ends_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint("(account_id IS NULL) <> (url IS NULL)", name=op.f("ck_on_call_person_or_program")),
        sa.CheckConstraint("ends_at IS NULL OR ends_at > starts_at", name=op.f("ck_on_call_ends_after_start")),
        sa.CheckConstraint("level >= 1", name=op.f("ck_on_call_level")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_on_call_account_id")),
        sa.ForeignKeyConstraint(["credential_id"], ["credential.id"], name=op.f("fk_on_call_credential_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_on_call")),
    )
    op.create_index(op.f("ix_on_call_account_id"), "on_call", ["account_id"], unique=False)
    op.create_table(
        "incident",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("studio_id", sa.Integer(), nullable=True),
        sa.Column("site_id", sa.Integer(), nullable=True),
        sa.Column("cause", sa.String(length=200), nullable=False),
        sa.Column(
            "severity",
            sa.Enum(
                "minor", "major", "critical", name="severity", native_enum=False, create_constraint=True, length=24
            ),
            nullable=False,
        ),
        sa.Column("opened_at", UTCDateTime(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("quiet_since", UTCDateTime(), nullable=True),
        sa.Column("acknowledged_at", UTCDateTime(), nullable=True),
        sa.Column("acknowledged_by_id", sa.Integer(), nullable=True),
        sa.Column("assigned_to_id", sa.Integer(), nullable=True),
        sa.Column("resolved_at", UTCDateTime(), nullable=True),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("told_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint("(studio_id IS NULL) <> (site_id IS NULL)", name=op.f("ck_incident_studio_or_site")),
        sa.ForeignKeyConstraint(["acknowledged_by_id"], ["account.id"], name=op.f("fk_incident_acknowledged_by_id")),
        sa.ForeignKeyConstraint(["assigned_to_id"], ["account.id"], name=op.f("fk_incident_assigned_to_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_incident_site_id")),
        sa.ForeignKeyConstraint(["studio_id"], ["studio.id"], name=op.f("fk_incident_studio_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident")),
    )
    op.create_index(op.f("ix_incident_opened_at"), "incident", ["opened_at"], unique=False)
    op.create_index(op.f("ix_incident_resolved_at"), "incident", ["resolved_at"], unique=False)
    op.create_index(op.f("ix_incident_site_id_opened_at"), "incident", ["site_id", "opened_at"], unique=False)
    op.create_index(op.f("ix_incident_studio_id_opened_at"), "incident", ["studio_id", "opened_at"], unique=False)
    op.create_index(
        "uq_incident_open_site",
        "incident",
        ["site_id"],
        unique=True,
        sqlite_where=sa.text("resolved_at IS NULL"),
        postgresql_where=sa.text("resolved_at IS NULL"),
    )
    op.create_index(
        "uq_incident_open_studio",
        "incident",
        ["studio_id"],
        unique=True,
        sqlite_where=sa.text("resolved_at IS NULL"),
        postgresql_where=sa.text("resolved_at IS NULL"),
    )
    op.create_table(
        "preflight",
        sa.Column("conference_id", sa.Integer(), nullable=False),
        sa.Column("studio_id", sa.Integer(), nullable=False),
        sa.Column("minutes", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("checked_at", UTCDateTime(), nullable=False),
        sa.Column(
            "light",
            sa.Enum("green", "amber", "red", name="light", native_enum=False, create_constraint=True, length=24),
            nullable=False,
        ),
        sa.Column("checks", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["conference_id"], ["conference.id"], name=op.f("fk_preflight_conference_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["studio_id"], ["studio.id"], name=op.f("fk_preflight_studio_id")),
        sa.PrimaryKeyConstraint("conference_id", "studio_id", "minutes", name=op.f("pk_preflight")),
    )
    op.create_index(op.f("ix_preflight_checked_at"), "preflight", ["checked_at"], unique=False)
    op.create_table(
        "quality_test",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("studio_id", sa.Integer(), nullable=False),
        sa.Column("tested_on", sa.Date(), nullable=False),
        sa.Column("tested_by_id", sa.Integer(), nullable=True),
        sa.Column("picture", sa.Boolean(), nullable=False),
        sa.Column("sound_out", sa.Boolean(), nullable=False),
        sa.Column("sound_in", sa.Boolean(), nullable=False),
        sa.Column("no_echo", sa.Boolean(), nullable=False),
        sa.Column("network", sa.Boolean(), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("recorded_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["studio_id"], ["studio.id"], name=op.f("fk_quality_test_studio_id")),
        sa.ForeignKeyConstraint(["tested_by_id"], ["account.id"], name=op.f("fk_quality_test_tested_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quality_test")),
    )
    op.create_index(
        op.f("ix_quality_test_studio_id_tested_on"), "quality_test", ["studio_id", "tested_on"], unique=False
    )
    op.create_table(
        "measurement",
        sa.Column(
            "span",
            sa.Enum("five_minutes", "hour", name="span", native_enum=False, create_constraint=True, length=24),
            nullable=False,
        ),
        sa.Column("starts_at", UTCDateTime(), nullable=False),
        sa.Column("endpoint_id", sa.Integer(), nullable=False),
        sa.Column("polls", sa.Integer(), nullable=False),
        sa.Column("misses", sa.Integer(), nullable=False),
        sa.Column("round_trip_ms", sa.Double(), nullable=True),
        sa.Column("longest_round_trip_ms", sa.Double(), nullable=True),
        sa.Column("loss_percent", sa.Double(), nullable=True),
        sa.Column("jitter_ms", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["endpoint_id"], ["endpoint.id"], name=op.f("fk_measurement_endpoint_id")),
        sa.PrimaryKeyConstraint("span", "starts_at", "endpoint_id", name=op.f("pk_measurement")),
    )
    op.create_index(op.f("ix_measurement_endpoint_id"), "measurement", ["endpoint_id"], unique=False)
    op.add_column("endpoint_status", sa.Column("registered", sa.Boolean(), nullable=True))
    op.add_column("endpoint_status", sa.Column("unsupported", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("endpoint_status", sa.Column("probed_software", sa.String(length=100), nullable=True))
    for table, column, other in REFERENCES:
        # SQLite adds a column together with its reference or not at all; to copy the table would break its triggers.
        name = f"fk_{table}_{column}"
        op.execute(f"ALTER TABLE {table} ADD COLUMN {column} INTEGER CONSTRAINT {name} REFERENCES {other} (id)")
    op.create_index(op.f("ix_event_incident_id_at"), "event", ["incident_id", "at"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_event_incident_id_at"), "event")
    for table, column, _ in REFERENCES:
        op.drop_column(table, column)
    for name in ("registered", "unsupported", "probed_software"):
        op.drop_column("endpoint_status", name)
    for table in ("measurement", "quality_test", "preflight", "on_call", "incident"):
        op.drop_table(table)
