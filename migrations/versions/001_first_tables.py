"""First tables

Revision ID: 001
Revises:
"""

import sqlalchemy as sa
from alembic import op

from models.database import UTCDateTime
from models.guards import FIRST, create_guards, drop_guards

revision = "001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=True),
        sa.Column("disabled_at", UTCDateTime(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("email", name=op.f("uq_account_email")),
    )
    op.create_table(
        "credential",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("username", sa.String(length=100), nullable=False),
        sa.Column("sealed_secret", sa.Text(), nullable=False),
        sa.Column("changed_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credential")),
        sa.UniqueConstraint("name", name=op.f("uq_credential_name")),
    )
    op.create_table(
        "organisation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "health_trust",
                "municipality",
                "gp",
                "dental",
                "pharmacy",
                "supplier",
                "network_owner",
                "regional_authority",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("number", sa.String(length=20), nullable=True),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column("health_region", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["parent_id"], ["organisation.id"], name=op.f("fk_organisation_parent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisation")),
        sa.UniqueConstraint("name", name=op.f("uq_organisation_name")),
        sa.UniqueConstraint("number", name=op.f("uq_organisation_number")),
    )
    op.create_index(op.f("ix_organisation_parent_id"), "organisation", ["parent_id"], unique=False)
    op.create_table(
        "sign_in_attempt",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("succeeded", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_attempt")),
    )
    op.create_index(op.f("ix_sign_in_attempt_address_at"), "sign_in_attempt", ["address", "at"], unique=False)
    op.create_index(op.f("ix_sign_in_attempt_email_at"), "sign_in_attempt", ["email", "at"], unique=False)
    op.create_table(
        "worker",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("started_at", UTCDateTime(), nullable=False),
        sa.Column("beat_at", UTCDateTime(), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_worker")),
    )
    op.create_index(op.f("ix_worker_kind"), "worker", ["kind"], unique=False)
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("object", sa.String(length=120), nullable=False),
        sa.Column("before", sa.JSON(), nullable=True),
        sa.Column("after", sa.JSON(), nullable=True),
        sa.Column("address", sa.String(length=64), nullable=True),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_audit_entry_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
    )
    op.create_index(op.f("ix_audit_entry_at"), "audit_entry", ["at"], unique=False)
    op.create_table(
        "conference",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=80), nullable=False),
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
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("organiser_id", sa.Integer(), nullable=True),
        sa.Column("starts_at", UTCDateTime(), nullable=False),
        sa.Column("ends_at", UTCDateTime(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "planned",
                "starting",
                "running",
                "degraded",
                "stopping",
                "ended",
                "failed",
                "cancelled",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("movable", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("due_at", UTCDateTime(), nullable=True),
        sa.Column("lease_owner", sa.String(length=80), nullable=True),
        sa.Column("lease_until", UTCDateTime(), nullable=True),
        sa.Column("lease_version", sa.Integer(), nullable=False),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_conference_ends_after_start")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_conference_organisation_id")),
        sa.ForeignKeyConstraint(["organiser_id"], ["account.id"], name=op.f("fk_conference_organiser_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conference")),
    )
    op.create_index(op.f("ix_conference_due_at"), "conference", ["due_at"], unique=False)
    op.create_index(
        op.f("ix_conference_organisation_id_starts_at"), "conference", ["organisation_id", "starts_at"], unique=False
    )
    op.create_index(op.f("ix_conference_organiser_id"), "conference", ["organiser_id"], unique=False)
    op.create_index(op.f("ix_conference_starts_at_ends_at"), "conference", ["starts_at", "ends_at"], unique=False)
    op.create_table(
        "role_grant",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "coordinator",
                "technician",
                "manager",
                "administrator",
                name="role",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("organisation_id", sa.Integer(), nullable=True),
        sa.Column("granted_by_id", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("granted_at", UTCDateTime(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_role_grant_account_id")),
        sa.ForeignKeyConstraint(["granted_by_id"], ["account.id"], name=op.f("fk_role_grant_granted_by_id")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_role_grant_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_role_grant")),
    )
    op.create_index(op.f("ix_role_grant_account_id"), "role_grant", ["account_id"], unique=False)
    op.create_index(op.f("ix_role_grant_organisation_id"), "role_grant", ["organisation_id"], unique=False)
    op.create_table(
        "session",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("seen_at", UTCDateTime(), nullable=False),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_session_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_session")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_session_token_hash")),
    )
    op.create_index(op.f("ix_session_account_id"), "session", ["account_id"], unique=False)
    op.create_table(
        "site",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("town", sa.String(length=100), nullable=False),
        sa.Column("municipality", sa.String(length=100), nullable=False),
        sa.Column("county", sa.String(length=100), nullable=False),
        sa.Column("health_region", sa.String(length=40), nullable=False),
        sa.Column("latitude", sa.Double(), nullable=False),
        sa.Column("longitude", sa.Double(), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("contact_name", sa.String(length=200), nullable=True),
        sa.Column("contact_phone", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_site_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_site")),
        sa.UniqueConstraint("organisation_id", "name", name=op.f("uq_site_organisation_id_name")),
    )
    op.create_index(op.f("ix_site_health_region"), "site", ["health_region"], unique=False)
    op.create_index(op.f("ix_site_town"), "site", ["town"], unique=False)
    op.create_table(
        "studio",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("equipment", sa.JSON(), nullable=False),
        sa.Column("clinical", sa.Boolean(), nullable=False),
        sa.Column("bookable_hours", sa.JSON(), nullable=True),
        sa.Column("setup_minutes", sa.Integer(), nullable=False),
        sa.Column("clear_down_minutes", sa.Integer(), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("needs_approval", sa.Boolean(), nullable=False),
        sa.Column(
            "start_mode",
            sa.Enum("muted", "press", "open", name="start_mode", native_enum=False, create_constraint=True, length=24),
            nullable=False,
        ),
        sa.Column("quality_tested_on", sa.Date(), nullable=True),
        sa.Column("quality_test_passed", sa.Boolean(), nullable=True),
        sa.Column("retired_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint("capacity >= 1", name=op.f("ck_studio_capacity")),
        sa.CheckConstraint("setup_minutes >= 0 AND clear_down_minutes >= 0", name=op.f("ck_studio_buffers")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_studio_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_studio")),
        sa.UniqueConstraint("code", name=op.f("uq_studio_code")),
    )
    op.create_index(op.f("ix_studio_site_id"), "studio", ["site_id"], unique=False)
    op.create_table(
        "closure",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("studio_id", sa.Integer(), nullable=True),
        sa.Column("site_id", sa.Integer(), nullable=True),
        sa.Column("starts_at", UTCDateTime(), nullable=False),
        sa.Column("ends_at", UTCDateTime(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("closed_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("(studio_id IS NULL) <> (site_id IS NULL)", name=op.f("ck_closure_studio_or_site")),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_closure_ends_after_start")),
        sa.ForeignKeyConstraint(["closed_by_id"], ["account.id"], name=op.f("fk_closure_closed_by_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_closure_site_id")),
        sa.ForeignKeyConstraint(["studio_id"], ["studio.id"], name=op.f("fk_closure_studio_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_closure")),
    )
    op.create_index(op.f("ix_closure_site_id"), "closure", ["site_id"], unique=False)
    op.create_index(op.f("ix_closure_starts_at_ends_at"), "closure", ["starts_at", "ends_at"], unique=False)
    op.create_index(op.f("ix_closure_studio_id"), "closure", ["studio_id"], unique=False)
    op.create_table(
        "endpoint",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("studio_id", sa.Integer(), nullable=False),
        sa.Column("dial_address", sa.String(length=255), nullable=False),
        sa.Column(
            "control_driver",
            sa.Enum("cisco-xapi", name="control_driver", native_enum=False, create_constraint=True, length=24),
            nullable=True,
        ),
        sa.Column("control_url", sa.String(length=255), nullable=True),
        sa.Column("control_credential_id", sa.Integer(), nullable=True),
        sa.Column("snmp_host", sa.String(length=255), nullable=True),
        sa.Column("snmp_port", sa.Integer(), nullable=False),
        sa.Column(
            "snmp_version",
            sa.Enum("2c", "3", name="snmp_version", native_enum=False, create_constraint=True, length=24),
            nullable=False,
        ),
        sa.Column("snmp_credential_id", sa.Integer(), nullable=True),
        sa.Column("vendor", sa.String(length=100), nullable=True),
        sa.Column("model", sa.String(length=100), nullable=True),
        sa.Column("serial", sa.String(length=100), nullable=True),
        sa.Column("software", sa.String(length=100), nullable=True),
        sa.ForeignKeyConstraint(
            ["control_credential_id"], ["credential.id"], name=op.f("fk_endpoint_control_credential_id")
        ),
        sa.ForeignKeyConstraint(["snmp_credential_id"], ["credential.id"], name=op.f("fk_endpoint_snmp_credential_id")),
        sa.ForeignKeyConstraint(["studio_id"], ["studio.id"], name=op.f("fk_endpoint_studio_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_endpoint")),
        sa.UniqueConstraint("studio_id", name=op.f("uq_endpoint_studio_id")),
    )
    op.create_index(op.f("ix_endpoint_control_credential_id"), "endpoint", ["control_credential_id"], unique=False)
    op.create_index(op.f("ix_endpoint_snmp_credential_id"), "endpoint", ["snmp_credential_id"], unique=False)
    op.create_table(
        "event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("conference_id", sa.Integer(), nullable=True),
        sa.Column("studio_id", sa.Integer(), nullable=True),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_event_account_id")),
        sa.ForeignKeyConstraint(["conference_id"], ["conference.id"], name=op.f("fk_event_conference_id")),
        sa.ForeignKeyConstraint(["studio_id"], ["studio.id"], name=op.f("fk_event_studio_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
    )
    op.create_index(op.f("ix_event_at"), "event", ["at"], unique=False)
    op.create_index(op.f("ix_event_conference_id_at"), "event", ["conference_id", "at"], unique=False)
    op.create_index(op.f("ix_event_studio_id_at"), "event", ["studio_id", "at"], unique=False)
    op.create_table(
        "reservation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("studio_id", sa.Integer(), nullable=False),
        sa.Column("conference_id", sa.Integer(), nullable=True),
        sa.Column("starts_at", UTCDateTime(), nullable=False),
        sa.Column("ends_at", UTCDateTime(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "conference",
                "pending_request",
                "hold",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("expires_at", UTCDateTime(), nullable=True),
        sa.Column("released_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_reservation_ends_after_start")),
        sa.ForeignKeyConstraint(["conference_id"], ["conference.id"], name=op.f("fk_reservation_conference_id")),
        sa.ForeignKeyConstraint(["studio_id"], ["studio.id"], name=op.f("fk_reservation_studio_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reservation")),
    )
    op.create_index(op.f("ix_reservation_conference_id"), "reservation", ["conference_id"], unique=False)
    op.create_index(
        op.f("ix_reservation_starts_at_ends_at_studio_id"),
        "reservation",
        ["starts_at", "ends_at", "studio_id"],
        unique=False,
    )
    op.create_index(op.f("ix_reservation_studio_id_starts_at"), "reservation", ["studio_id", "starts_at"], unique=False)
    op.create_table(
        "endpoint_status",
        sa.Column("endpoint_id", sa.Integer(), nullable=False),
        sa.Column(
            "health",
            sa.Enum(
                "ok",
                "degraded",
                "down",
                "unreachable",
                "maintenance",
                "unknown",
                name="health",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("since", UTCDateTime(), nullable=False),
        sa.Column("cause", sa.String(length=200), nullable=False),
        sa.Column("changed_at", UTCDateTime(), nullable=False),
        sa.Column("last_poll_at", UTCDateTime(), nullable=True),
        sa.Column("last_answer_at", UTCDateTime(), nullable=True),
        sa.Column("round_trip_ms", sa.Double(), nullable=True),
        sa.Column("misses", sa.Integer(), nullable=False),
        sa.Column("uptime_seconds", sa.Double(), nullable=True),
        sa.Column("in_call", sa.Boolean(), nullable=False),
        sa.Column("call_peer", sa.String(length=255), nullable=True),
        sa.Column("calls_seen_at", UTCDateTime(), nullable=True),
        sa.Column("peripherals", sa.JSON(), nullable=True),
        sa.Column("loss_percent", sa.Double(), nullable=True),
        sa.Column("jitter_ms", sa.Double(), nullable=True),
        sa.Column("due_at", UTCDateTime(), nullable=True),
        sa.Column("lease_owner", sa.String(length=80), nullable=True),
        sa.Column("lease_until", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["endpoint_id"], ["endpoint.id"], name=op.f("fk_endpoint_status_endpoint_id")),
        sa.PrimaryKeyConstraint("endpoint_id", name=op.f("pk_endpoint_status")),
    )
    op.create_index(op.f("ix_endpoint_status_changed_at"), "endpoint_status", ["changed_at"], unique=False)
    op.create_index(op.f("ix_endpoint_status_due_at"), "endpoint_status", ["due_at"], unique=False)
    op.create_index(op.f("ix_endpoint_status_last_answer_at"), "endpoint_status", ["last_answer_at"], unique=False)
    op.create_table(
        "party",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("conference_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("studio", "pool", "guest", name="kind", native_enum=False, create_constraint=True, length=24),
            nullable=False,
        ),
        sa.Column("studio_id", sa.Integer(), nullable=True),
        sa.Column("pool", sa.JSON(), nullable=True),
        sa.Column("guest_address", sa.String(length=255), nullable=True),
        sa.Column("attendees", sa.Integer(), nullable=True),
        sa.Column("host", sa.Boolean(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=True),
        sa.Column(
            "answer",
            sa.Enum(
                "not_asked",
                "waiting",
                "accepted",
                "declined",
                name="answer",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("reservation_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["conference_id"], ["conference.id"], name=op.f("fk_party_conference_id")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_party_organisation_id")),
        sa.ForeignKeyConstraint(["reservation_id"], ["reservation.id"], name=op.f("fk_party_reservation_id")),
        sa.ForeignKeyConstraint(["studio_id"], ["studio.id"], name=op.f("fk_party_studio_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_party")),
        sa.UniqueConstraint("conference_id", "position", name=op.f("uq_party_conference_id_position")),
    )
    op.create_index(op.f("ix_party_organisation_id"), "party", ["organisation_id"], unique=False)
    op.create_index(op.f("ix_party_reservation_id"), "party", ["reservation_id"], unique=False)
    op.create_index(op.f("ix_party_studio_id"), "party", ["studio_id"], unique=False)
    op.create_table(
        "status_change",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("endpoint_id", sa.Integer(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column(
            "from_health",
            sa.Enum(
                "ok",
                "degraded",
                "down",
                "unreachable",
                "maintenance",
                "unknown",
                name="from_health",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column(
            "to_health",
            sa.Enum(
                "ok",
                "degraded",
                "down",
                "unreachable",
                "maintenance",
                "unknown",
                name="to_health",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("cause", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["endpoint_id"], ["endpoint.id"], name=op.f("fk_status_change_endpoint_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_status_change")),
    )
    op.create_index(op.f("ix_status_change_at"), "status_change", ["at"], unique=False)
    op.create_index(op.f("ix_status_change_endpoint_id_at"), "status_change", ["endpoint_id", "at"], unique=False)
    op.create_table(
        "leg",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("conference_id", sa.Integer(), nullable=False),
        sa.Column("party_id", sa.Integer(), nullable=False),
        sa.Column(
            "wanted",
            sa.Enum("up", "down", name="wanted", native_enum=False, create_constraint=True, length=24),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "idle",
                "dialling",
                "ringing",
                "connected",
                "dropped",
                "failed",
                "stopping",
                "stopped",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("token", sa.String(length=255), nullable=False),
        sa.Column("remote_call_id", sa.String(length=80), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", UTCDateTime(), nullable=True),
        sa.Column("dialled_at", UTCDateTime(), nullable=True),
        sa.Column("connected_at", UTCDateTime(), nullable=True),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
        sa.Column("cause", sa.String(length=200), nullable=True),
        sa.Column("changed_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["conference_id"], ["conference.id"], name=op.f("fk_leg_conference_id")),
        sa.ForeignKeyConstraint(["party_id"], ["party.id"], name=op.f("fk_leg_party_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leg")),
        sa.UniqueConstraint("party_id", name=op.f("uq_leg_party_id")),
        sa.UniqueConstraint("token", name=op.f("uq_leg_token")),
    )
    op.create_index(op.f("ix_leg_changed_at"), "leg", ["changed_at"], unique=False)
    op.create_index(op.f("ix_leg_conference_id"), "leg", ["conference_id"], unique=False)
    create_guards(op.get_bind(), FIRST)


def downgrade() -> None:
    drop_guards(op.get_bind(), FIRST)
    op.drop_table("leg")
    op.drop_table("status_change")
    op.drop_table("party")
    op.drop_table("endpoint_status")
    op.drop_table("reservation")
    op.drop_table("event")
    op.drop_table("endpoint")
    op.drop_table("closure")
    op.drop_table("studio")
    op.drop_table("site")
    op.drop_table("session")
    op.drop_table("role_grant")
    op.drop_table("conference")
    op.drop_table("audit_entry")
    op.drop_table("worker")
    op.drop_table("sign_in_attempt")
    op.drop_table("organisation")
    op.drop_table("credential")
    op.drop_table("account")
