"""How runs read Entra, and the delta links from which the next ones go on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "readings",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("mapping", sa.String(length=64), nullable=False),
        sa.Column("from_link", sa.Text(), nullable=True),
        sa.Column("list_scan", sa.Integer(), nullable=True),
        sa.Column("to_link", sa.Text(), nullable=True),
        sa.Column("leaves_link", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_readings_run_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_readings")),
    )
    op.create_table(
        "delta_links",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("mapping", sa.String(length=64), nullable=False),
        sa.Column("link", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("kept", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_delta_links_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_delta_links")),
    )
