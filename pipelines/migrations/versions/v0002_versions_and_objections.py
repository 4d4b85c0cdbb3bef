"""Policy packs as they were used, reports confirmed without a new version, objections and what became of them."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "policy_packs",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("pack", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("files", sa.Text(), nullable=False),
        sa.Column("kept_at", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_policy_packs"),
    )
    op.create_table(
        "confirmations",
        sa.Column("report_id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("batch_id", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["report_id", "version"], ["reports.report_id", "reports.version"], name="fk_confirmations_reports"
        ),
        sa.PrimaryKeyConstraint("report_id", "version", "batch_id", name="pk_confirmations"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_confirmations_batch_id", "confirmations", ["batch_id"], unique=False)
    op.create_table(
        "objections",
        sa.Column("objection_id", sa.String(length=64), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=False),
        sa.Column("report_id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("item", sa.String(length=40), nullable=False),
        sa.Column("dataset", sa.String(length=80), nullable=False),
        sa.Column("rows", sa.Text(), nullable=False),
        sa.Column("ground", sa.String(length=40), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["report_id", "version"], ["reports.report_id", "reports.version"], name="fk_objections_reports"
        ),
        sa.PrimaryKeyConstraint("objection_id", name="pk_objections"),
    )
    op.create_index("ix_objections_request_id", "objections", ["request_id"], unique=False)
    op.create_table(
        "objection_events",
        sa.Column("objection_id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("at", sa.String(length=40), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=True),
        sa.Column("received_at", sa.String(length=40), nullable=False),
        sa.CheckConstraint("kind IN ('opened', 'answered', 'closed')", name="ck_objection_events_kind"),
        sa.ForeignKeyConstraint(["objection_id"], ["objections.objection_id"], name="fk_objection_events_objections"),
        sa.PrimaryKeyConstraint("objection_id", "number", name="pk_objection_events"),
        sqlite_with_rowid=False,
    )
