"""The case store: requests, batches, reports, outbox and the append-only ledger."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

# Whoever holds the database's password could still drop the triggers: the hash chain shows what they did then.
_REFUSE = "BEGIN SELECT RAISE(ABORT, 'ledger is append-only'); END"
_SQLITE_GUARDS = (
    f"CREATE TRIGGER ledger_no_update BEFORE UPDATE ON ledger {_REFUSE}",
    f"CREATE TRIGGER ledger_no_delete BEFORE DELETE ON ledger {_REFUSE}",
)
_POSTGRESQL_GUARDS = (
    "CREATE FUNCTION ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'ledger is append-only'; END $$",
    "CREATE TRIGGER ledger_no_change BEFORE UPDATE OR DELETE ON ledger "
    "FOR EACH ROW EXECUTE FUNCTION ledger_is_append_only()",
    "CREATE TRIGGER ledger_no_truncate BEFORE TRUNCATE ON ledger "
    "FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only()",
)


def upgrade() -> None:
    op.create_table(
        "batches",
        sa.Column("batch_id", sa.String(length=64), nullable=False),
        sa.Column("as_of", sa.String(length=40), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("admitted_from", sa.String(length=64), nullable=True),
        sa.Column("requests", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("batch_id", name="pk_batches"),
    )
    op.create_table(
        "coverage_counts",
        sa.Column("batch_id", sa.String(length=64), nullable=False),
        sa.Column("dataset", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("persons", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("batch_id", "dataset", "state", name="pk_coverage_counts"),
    )
    op.create_table(
        "extracts",
        sa.Column("batch_id", sa.String(length=64), nullable=False),
        sa.Column("dataset", sa.String(length=80), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=True),
        sa.Column("rows_read", sa.BigInteger(), nullable=False),
        sa.Column("rows_admitted", sa.BigInteger(), nullable=False),
        sa.Column("quarantined", sa.BigInteger(), nullable=False),
        sa.Column("medians", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("batch_id", "dataset", "digest", name="pk_extracts"),
    )
    op.create_index("ix_extracts_dataset", "extracts", ["dataset", "as_of"], unique=False)
    op.create_table(
        "intakes",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("accepted", sa.Integer(), nullable=False),
        sa.Column("known", sa.Integer(), nullable=False),
        sa.Column("withdrawn", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("received_at", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_intakes"),
    )
    op.create_table(
        "ledger",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("at", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("batch_id", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_ledger"),
    )
    op.create_index("ix_ledger_kind", "ledger", ["kind", "batch_id", "subject"], unique=True)
    op.create_table(
        "reports",
        sa.Column("report_id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=False),
        sa.Column("batch_id", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=80), nullable=False),
        sa.Column("part", sa.String(length=200), nullable=False),
        sa.Column("supersedes", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("report_id", "version", name="pk_reports"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_reports_batch_id", "reports", ["batch_id"], unique=False)
    op.create_index("ix_reports_request_id", "reports", ["request_id"], unique=False)
    op.create_table(
        "requests",
        sa.Column("request_id", sa.String(length=64), nullable=False),
        sa.Column("application", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("programme", sa.String(length=64), nullable=False),
        sa.Column("division", sa.String(length=6), nullable=False),
        sa.Column("area_kind", sa.String(length=5), nullable=False),
        sa.Column("application_date", sa.Date(), nullable=False),
        sa.Column("reference_date", sa.Date(), nullable=False),
        sa.Column("requester", sa.String(length=100), nullable=False),
        sa.Column("purpose", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("received_at", sa.String(length=40), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("document_digest", sa.String(length=64), nullable=False),
        sa.CheckConstraint("state IN ('open', 'withdrawn', 'superseded', 'closed')", name="ck_requests_state"),
        sa.PrimaryKeyConstraint("request_id", "application", name="pk_requests"),
    )
    op.create_index(
        "ix_requests_open",
        "requests",
        ["request_id"],
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "authorisations",
        sa.Column("authorisation_id", sa.String(length=64), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=False),
        sa.Column("application", sa.Integer(), nullable=False),
        sa.Column("member_no", sa.Integer(), nullable=False),
        sa.Column("signed_on", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("withdrawn_on", sa.Date(), nullable=True),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["request_id", "application"],
            ["requests.request_id", "requests.application"],
            name="fk_authorisations_requests",
        ),
        sa.PrimaryKeyConstraint("authorisation_id", name="pk_authorisations"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_authorisations_request_id", "authorisations", ["request_id", "application"], unique=False)
    op.create_table(
        "members",
        sa.Column("request_id", sa.String(length=64), nullable=False),
        sa.Column("application", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("member_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("role", sa.String(length=10), nullable=False),
        sa.Column("person", sa.String(length=32), nullable=True),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["request_id", "application"],
            ["requests.request_id", "requests.application"],
            name="fk_members_requests",
        ),
        sa.PrimaryKeyConstraint("request_id", "application", "member_no", name="pk_members"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_members_person", "members", ["person"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("report_id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("batch_id", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("delivery", sa.Integer(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.CheckConstraint("state IN ('pending', 'delivered', 'refused', 'cancelled')", name="ck_outbox_state"),
        sa.ForeignKeyConstraint(
            ["report_id", "version"], ["reports.report_id", "reports.version"], name="fk_outbox_reports"
        ),
        sa.PrimaryKeyConstraint("report_id", "version", name="pk_outbox"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_outbox_batch_id", "outbox", ["batch_id", "state", "delivery"], unique=False)
    op.create_table(
        "receipts",
        sa.Column("report_id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("receipt", sa.Text(), nullable=False),
        sa.Column("received_at", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["report_id", "version"], ["reports.report_id", "reports.version"], name="fk_receipts_reports"
        ),
        sa.PrimaryKeyConstraint("report_id", "version", name="pk_receipts"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "withdrawals",
        sa.Column("request_id", sa.String(length=64), nullable=False),
        sa.Column("application", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("member_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("withdrawn_on", sa.Date(), nullable=False),
        sa.Column("received_at", sa.String(length=40), nullable=False),
        sa.Column("deleted_at", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(
            ["request_id", "application"],
            ["requests.request_id", "requests.application"],
            name="fk_withdrawals_requests",
        ),
        sa.PrimaryKeyConstraint("request_id", "application", "member_no", name="pk_withdrawals"),
    )
    for guard in _SQLITE_GUARDS if op.get_bind().dialect.name == "sqlite" else _POSTGRESQL_GUARDS:
        op.execute(guard)
