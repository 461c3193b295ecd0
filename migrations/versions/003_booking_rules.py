"""Series, bridges, waiting, swaps, drafts, tokens for programs, and the guards of the booking rules

Revision ID: 003
Revises: 002
"""

import sqlalchemy as sa
from alembic import op

from models.database import UTCDateTime
from models.guards import ALL, FIRST, create_guards, drop_guards

revision = "003"
down_revision = "002"
branch_labels = None
depends_on = None

ROLES = ("coordinator", "technician", "manager", "administrator")
MORE_ROLES = (*ROLES, "emergency")
# A conference that is there keeps this as its iCalendar UID for life.
UIDS_OF_CONFERENCES_SO_FAR = "UPDATE conference SET uid = 'conference-' || id"


def upgrade() -> None:
    drop_guards(op.get_bind(), FIRST)
    op.create_table(
        "bridge",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column(
            "driver",
            sa.Enum("pexip", name="driver", native_enum=False, create_constraint=True, length=24),
            nullable=False,
        ),
        sa.Column("address", sa.String(length=255), nullable=False),
        sa.Column("dial_domain", sa.String(length=255), nullable=False),
        sa.Column("health_region", sa.String(length=40), nullable=False),
        sa.Column("ports", sa.Integer(), nullable=False),
        sa.Column("retired_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint("ports >= 0", name=op.f("ck_bridge_ports")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bridge")),
        sa.UniqueConstraint("name", name=op.f("uq_bridge_name")),
    )
    op.create_table(
        "api_token",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.Column("last_used_at", UTCDateTime(), nullable=True),
        sa.Column("revoked_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_api_token_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_token")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_api_token_token_hash")),
    )
    op.create_index(op.f("ix_api_token_account_id"), "api_token", ["account_id"], unique=False)
    op.create_table(
        "draft",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("saved_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_draft_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draft")),
    )
    op.create_index(op.f("ix_draft_account_id"), "draft", ["account_id"], unique=False)
    op.create_table(
        "idempotency_key",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("request_hash", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("body", sa.JSON(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_idempotency_key_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_idempotency_key")),
        sa.UniqueConstraint("account_id", "key", name=op.f("uq_idempotency_key_account_id_key")),
    )
    op.create_index(op.f("ix_idempotency_key_created_at"), "idempotency_key", ["created_at"], unique=False)
    op.create_table(
        "series",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("rule", sa.String(length=500), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("start_time", sa.Time(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("minutes > 0", name=op.f("ck_series_minutes")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_series_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_series")),
    )
    op.create_index(op.f("ix_series_organisation_id"), "series", ["organisation_id"], unique=False)
    op.create_table(
        "swap",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("conference_id", sa.Integer(), nullable=False),
        sa.Column("conference_version", sa.Integer(), nullable=False),
        sa.Column("own_conference_id", sa.Integer(), nullable=True),
        sa.Column("own_version", sa.Integer(), nullable=True),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("asked_by_id", sa.Integer(), nullable=True),
        sa.Column("booking", sa.JSON(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("proposed_start", UTCDateTime(), nullable=False),
        sa.Column("proposed_end", UTCDateTime(), nullable=False),
        sa.Column("proposed_studios", sa.JSON(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "offered",
                "accepted",
                "declined",
                "expired",
                "withdrawn",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.Column("answered_at", UTCDateTime(), nullable=True),
        sa.Column("answered_by_id", sa.Integer(), nullable=True),
        sa.Column("answer_reason", sa.String(length=200), nullable=True),
        sa.Column("booked_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["answered_by_id"], ["account.id"], name=op.f("fk_swap_answered_by_id")),
        sa.ForeignKeyConstraint(["asked_by_id"], ["account.id"], name=op.f("fk_swap_asked_by_id")),
        sa.ForeignKeyConstraint(["booked_id"], ["conference.id"], name=op.f("fk_swap_booked_id")),
        sa.ForeignKeyConstraint(["conference_id"], ["conference.id"], name=op.f("fk_swap_conference_id")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_swap_organisation_id")),
        sa.ForeignKeyConstraint(["own_conference_id"], ["conference.id"], name=op.f("fk_swap_own_conference_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_swap")),
    )
    op.create_index(op.f("ix_swap_conference_id"), "swap", ["conference_id"], unique=False)
    op.create_index(op.f("ix_swap_organisation_id"), "swap", ["organisation_id"], unique=False)
    op.create_index(op.f("ix_swap_own_conference_id"), "swap", ["own_conference_id"], unique=False)
    op.create_index(op.f("ix_swap_state"), "swap", ["state"], unique=False)
    op.create_table(
        "waiting_request",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("conference_id", sa.Integer(), nullable=True),
        sa.Column("booking", sa.JSON(), nullable=False),
        sa.Column("earliest", UTCDateTime(), nullable=False),
        sa.Column("latest", UTCDateTime(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "offered",
                "accepted",
                "declined",
                "expired",
                "withdrawn",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("offered_start", UTCDateTime(), nullable=True),
        sa.Column("offered_end", UTCDateTime(), nullable=True),
        sa.Column("offer_expires_at", UTCDateTime(), nullable=True),
        sa.Column("closed_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint("latest > earliest", name=op.f("ck_waiting_request_latest_after_earliest")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_waiting_request_account_id")),
        sa.ForeignKeyConstraint(["conference_id"], ["conference.id"], name=op.f("fk_waiting_request_conference_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_waiting_request_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waiting_request")),
    )
    op.create_index(op.f("ix_waiting_request_account_id"), "waiting_request", ["account_id"], unique=False)
    op.create_index(op.f("ix_waiting_request_conference_id"), "waiting_request", ["conference_id"], unique=False)
    op.create_index(op.f("ix_waiting_request_organisation_id"), "waiting_request", ["organisation_id"], unique=False)
    op.create_index(op.f("ix_waiting_request_state"), "waiting_request", ["state"], unique=False)
    op.add_column("conference", sa.Column("video", sa.Boolean(), server_default=sa.true(), nullable=False))
    _add_reference("conference", "booked_by_id", "account")
    _add_reference("conference", "series_id", "series")
    op.add_column("conference", sa.Column("recurs_at", UTCDateTime(), nullable=True))
    op.add_column("conference", sa.Column("detached", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("conference", sa.Column("uid", sa.String(length=80), server_default="", nullable=False))
    op.add_column("conference", sa.Column("sequence", sa.Integer(), server_default="0", nullable=False))
    _add_reference("conference", "bridge_id", "bridge")
    op.add_column("conference", sa.Column("ports", sa.Integer(), server_default="0", nullable=False))
    op.create_index(op.f("ix_conference_bridge_id_starts_at"), "conference", ["bridge_id", "starts_at"], unique=False)
    op.create_index(op.f("ix_conference_series_id"), "conference", ["series_id"], unique=False)
    op.create_index(op.f("ix_conference_uid"), "conference", ["uid"], unique=False)
    op.add_column("party", sa.Column("answer_reason", sa.String(length=200), nullable=True))
    op.add_column("party", sa.Column("answered_at", UTCDateTime(), nullable=True))
    _add_reference("party", "answered_by_id", "account")
    _add_reference("reservation", "waiting_request_id", "waiting_request")
    op.create_index(op.f("ix_reservation_waiting_request_id"), "reservation", ["waiting_request_id"], unique=False)
    op.execute(UIDS_OF_CONFERENCES_SO_FAR)
    _set_roles(ROLES, MORE_ROLES)
    create_guards(op.get_bind(), ALL)


def downgrade() -> None:
    drop_guards(op.get_bind(), ALL)
    op.execute("DELETE FROM role_grant WHERE role = 'emergency'")
    _set_roles(MORE_ROLES, ROLES)
    op.drop_index(op.f("ix_reservation_waiting_request_id"), table_name="reservation")
    op.drop_column("reservation", "waiting_request_id")
    op.drop_column("party", "answered_by_id")
    op.drop_column("party", "answered_at")
    op.drop_column("party", "answer_reason")
    op.drop_index(op.f("ix_conference_uid"), table_name="conference")
    op.drop_index(op.f("ix_conference_series_id"), table_name="conference")
    op.drop_index(op.f("ix_conference_bridge_id_starts_at"), table_name="conference")
    op.drop_column("conference", "ports")
    op.drop_column("conference", "bridge_id")
    op.drop_column("conference", "sequence")
    op.drop_column("conference", "uid")
    op.drop_column("conference", "detached")
    op.drop_column("conference", "recurs_at")
    op.drop_column("conference", "series_id")
    op.drop_column("conference", "booked_by_id")
    op.drop_column("conference", "video")
    op.drop_index(op.f("ix_waiting_request_state"), table_name="waiting_request")
    op.drop_index(op.f("ix_waiting_request_organisation_id"), table_name="waiting_request")
    op.drop_index(op.f("ix_waiting_request_conference_id"), table_name="waiting_request")
    op.drop_index(op.f("ix_waiting_request_account_id"), table_name="waiting_request")
    op.drop_table("waiting_request")
    op.drop_index(op.f("ix_swap_state"), table_name="swap")
    op.drop_index(op.f("ix_swap_own_conference_id"), table_name="swap")
    op.drop_index(op.f("ix_swap_organisation_id"), table_name="swap")
    op.drop_index(op.f("ix_swap_conference_id"), table_name="swap")
    op.drop_table("swap")
    op.drop_index(op.f("ix_series_organisation_id"), table_name="series")
    op.drop_table("series")
    op.drop_index(op.f("ix_idempotency_key_created_at"), table_name="idempotency_key")
    op.drop_table("idempotency_key")
    op.drop_index(op.f("ix_draft_account_id"), table_name="draft")
    op.drop_table("draft")
    op.drop_index(op.f("ix_api_token_account_id"), table_name="api_token")
    op.drop_table("api_token")
    op.drop_table("bridge")
    create_guards(op.get_bind(), FIRST)


def _add_reference(table: str, column: str, other: str) -> None:
    """In one statement, which SQLite takes without writing the whole table again."""
    name = f"fk_{table}_{column}"
    op.execute(f"ALTER TABLE {table} ADD COLUMN {column} INTEGER CONSTRAINT {name} REFERENCES {other} (id)")


def _set_roles(before: tuple[str, ...], after: tuple[str, ...]) -> None:
    with op.batch_alter_table("role_grant", copy_from=_role_grant(before)) as batch:
        batch.drop_constraint(op.f("ck_role_grant_role"), type_="check")
        batch.create_check_constraint(op.f("ck_role_grant_role"), sa.column("role").in_(after))


def _role_grant(roles: tuple[str, ...]) -> sa.Table:
    """The table as it stands: SQLite has it written again, and would lose what is not said here."""
    return sa.Table(
        "role_grant",
        sa.MetaData(),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(length=24), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=True),
        sa.Column("granted_by_id", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("granted_at", UTCDateTime(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint(sa.column("role").in_(roles), name="ck_role_grant_role"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_role_grant_account_id"),
        sa.ForeignKeyConstraint(["granted_by_id"], ["account.id"], name="fk_role_grant_granted_by_id"),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name="fk_role_grant_organisation_id"),
        sa.PrimaryKeyConstraint("id", name="pk_role_grant"),
        sa.Index("ix_role_grant_account_id", "account_id"),
        sa.Index("ix_role_grant_organisation_id", "organisation_id"),
    )
