"""How conferences are let into studios, how bridges are steered, and what the scheduler knows of running conferences

Revision ID: 006
Revises: 005
"""

import sqlalchemy as sa
from alembic import op

from models.database import UTCDateTime

revision = "006"
down_revision = "005"
branch_labels = None
depends_on = None

OPEN = "ix_bridge_room_closed_at"
INSTANTS = ("prompted_at", "pressed_at", "muted_at", "opened_at", "next_attempt_at")
KEY = "fk_bridge_control_credential_id_credential"


def upgrade() -> None:
    op.create_table(
        "admission",
        sa.Column("party_id", sa.Integer(), nullable=False),
        sa.Column(
            "mode",
            sa.Enum("muted", "press", "open", name="mode", native_enum=False, create_constraint=True),
            nullable=False,
        ),
        *(sa.Column(name, UTCDateTime(), nullable=True) for name in INSTANTS),
        sa.Column("cause", sa.String(200), nullable=True),
        sa.ForeignKeyConstraint(
            ["party_id"], ["party.id"], ondelete="CASCADE", name=op.f("fk_admission_party_id_party")
        ),
        sa.PrimaryKeyConstraint("party_id", name=op.f("pk_admission")),
    )
    op.add_column("leg", sa.Column("held_down", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_table(
        "bridge_room",
        sa.Column("conference_id", sa.Integer(), nullable=False),
        sa.Column("bridge_id", sa.Integer(), nullable=False),
        sa.Column("opened_at", UTCDateTime(), nullable=False),
        sa.Column("closed_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["conference_id"], ["conference.id"], name=op.f("fk_bridge_room_conference_id_conference")
        ),
        sa.ForeignKeyConstraint(["bridge_id"], ["bridge.id"], name=op.f("fk_bridge_room_bridge_id_bridge")),
        sa.PrimaryKeyConstraint("conference_id", "bridge_id", name=op.f("pk_bridge_room")),
    )
    only = sa.text("closed_at IS NULL")
    op.create_index(op.f(OPEN), "bridge_room", ["closed_at"], sqlite_where=only, postgresql_where=only)
    op.add_column("conference", sa.Column("joined_at", UTCDateTime(), nullable=True))
    op.add_column("conference", sa.Column("warned_minutes", sa.Integer(), nullable=True))
    op.add_column("conference", sa.Column("extended_minutes", sa.Integer(), server_default="0", nullable=False))
    op.add_column("bridge", sa.Column("system_location", sa.String(100), server_default="", nullable=False))
    # SQLite adds a column together with its reference or not at all; to copy the table would break its triggers.
    op.execute(
        f"ALTER TABLE bridge ADD COLUMN control_credential_id INTEGER CONSTRAINT {KEY} REFERENCES credential (id)"
    )
    op.create_index(op.f("ix_bridge_control_credential_id"), "bridge", ["control_credential_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_bridge_control_credential_id"), "bridge")
    op.drop_column("bridge", "control_credential_id")
    op.drop_column("bridge", "system_location")
    for name in ("extended_minutes", "warned_minutes", "joined_at"):
        op.drop_column("conference", name)
    op.drop_column("leg", "held_down")
    op.drop_table("bridge_room")
    op.drop_table("admission")
