"""The case store's tables, the same on SQLite and PostgreSQL.

What a person is known by is here only as a token of the current key epoch (``members.person``) or sealed
(``requests.document``). Moments are ISO 8601 text with their offset, because SQLite keeps no time zone and the
ledger's hashes cover them as written. Changes go through pipelines/migrations; a test compares both.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

REQUEST_STATES = ("open", "withdrawn", "superseded", "closed")
OUTBOX_STATES = ("pending", "delivered", "refused", "cancelled")
OBJECTION_EVENTS = ("opened", "answered", "closed")


def _one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    return CheckConstraint(f"{column} IN ({', '.join(repr(value) for value in values)})", name=column)


# One row per application: a new application under the same request_id supersedes the one before (R32), and what
# was accepted before stays recognisable by its digest.
requests = Table(
    "requests",
    metadata,
    Column("request_id", String(64), primary_key=True),
    Column("application", Integer, primary_key=True, autoincrement=False),
    Column("programme", String(64), nullable=False),
    Column("division", String(6), nullable=False),
    Column("area_kind", String(5), nullable=False),
    Column("application_date", Date, nullable=False),
    Column("reference_date", Date, nullable=False),
    Column("requester", String(100), nullable=False),
    Column("purpose", String(200), nullable=False),
    Column("state", String(12), nullable=False),
    Column("received_at", String(40), nullable=False),
    Column("document", LargeBinary, nullable=False),
    Column("document_digest", String(64), nullable=False),
    _one_of("state", REQUEST_STATES),
    Index(
        "ix_requests_open",
        "request_id",
        unique=True,
        sqlite_where=text("state = 'open'"),
        postgresql_where=text("state = 'open'"),
    ),
)

members = Table(
    "members",
    metadata,
    Column("request_id", String(64), primary_key=True),
    Column("application", Integer, primary_key=True, autoincrement=False),
    Column("member_no", Integer, primary_key=True, autoincrement=False),
    Column("role", String(10), nullable=False),
    Column("person", String(32), index=True),
    Column("epoch", Integer, nullable=False),
    ForeignKeyConstraint(["request_id", "application"], ["requests.request_id", "requests.application"]),
    sqlite_with_rowid=False,
)

authorisations = Table(
    "authorisations",
    metadata,
    Column("authorisation_id", String(64), primary_key=True),
    Column("request_id", String(64), nullable=False),
    Column("application", Integer, nullable=False),
    Column("member_no", Integer, nullable=False),
    Column("signed_on", Date, nullable=False),
    Column("valid_until", Date, nullable=False),
    Column("withdrawn_on", Date),
    Column("scope", Text, nullable=False),
    ForeignKeyConstraint(["request_id", "application"], ["requests.request_id", "requests.application"]),
    Index("ix_authorisations_request_id", "request_id", "application"),
    sqlite_with_rowid=False,
)

# Also the queue of what must be deleted (R31): ``deleted_at`` is empty until retention has done it; member 0 is the
# whole request.
withdrawals = Table(
    "withdrawals",
    metadata,
    Column("request_id", String(64), primary_key=True),
    Column("application", Integer, primary_key=True, autoincrement=False),
    Column("member_no", Integer, primary_key=True, autoincrement=False),
    Column("withdrawn_on", Date, nullable=False),
    Column("received_at", String(40), nullable=False),
    Column("deleted_at", String(40)),
    ForeignKeyConstraint(["request_id", "application"], ["requests.request_id", "requests.application"]),
)

intakes = Table(
    "intakes",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("lines", Integer, nullable=False),
    Column("accepted", Integer, nullable=False),
    Column("known", Integer, nullable=False),
    Column("withdrawn", Integer, nullable=False),
    Column("refused", Integer, nullable=False),
    Column("received_at", String(40), nullable=False),
)

batches = Table(
    "batches",
    metadata,
    Column("batch_id", String(64), primary_key=True),
    Column("as_of", String(40), nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("admitted_from", String(64)),
    Column("requests", Integer, nullable=False),
    Column("created_at", String(40), nullable=False),
)

extracts = Table(
    "extracts",
    metadata,
    Column("batch_id", String(64), primary_key=True),
    Column("dataset", String(80), primary_key=True),
    Column("digest", String(64), primary_key=True),
    Column("as_of", Date),
    Column("rows_read", BigInteger, nullable=False),
    Column("rows_admitted", BigInteger, nullable=False),
    Column("quarantined", BigInteger, nullable=False),
    Column("medians", JSON, nullable=False),
    Column("state", String(20), nullable=False),
    Index("ix_extracts_dataset", "dataset", "as_of"),
)

coverage_counts = Table(
    "coverage_counts",
    metadata,
    Column("batch_id", String(64), primary_key=True),
    Column("dataset", String(80), primary_key=True),
    Column("state", String(20), primary_key=True),
    Column("persons", BigInteger, nullable=False),
)

# ``part`` is the batch file that holds the report; ``supersedes`` the version before.
reports = Table(
    "reports",
    metadata,
    Column("report_id", String(64), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("request_id", String(64), nullable=False, index=True),
    Column("batch_id", String(64), nullable=False, index=True),
    Column("digest", String(80), nullable=False),
    Column("part", String(200), nullable=False),
    Column("supersedes", Integer),
    sqlite_with_rowid=False,
)

# ``delivery`` is the number of the part, within the batch, that carries the report to the case system.
outbox = Table(
    "outbox",
    metadata,
    Column("report_id", String(64), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("batch_id", String(64), nullable=False),
    Column("state", String(12), nullable=False),
    Column("delivery", Integer),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("last_error", Text),
    ForeignKeyConstraint(["report_id", "version"], ["reports.report_id", "reports.version"]),
    _one_of("state", OUTBOX_STATES),
    Index("ix_outbox_batch_id", "batch_id", "state", "delivery"),
    sqlite_with_rowid=False,
)

receipts = Table(
    "receipts",
    metadata,
    Column("report_id", String(64), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("receipt", Text, nullable=False),
    Column("received_at", String(40), nullable=False),
    ForeignKeyConstraint(["report_id", "version"], ["reports.report_id", "reports.version"]),
    sqlite_with_rowid=False,
)

# The files of every policy pack that a batch was planned with, so that a folder that was edited since changes nothing
# of an earlier report (R66); ``files`` is JSON: path → text.
policy_packs = Table(
    "policy_packs",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("pack", String(64), nullable=False),
    Column("version", String(40), nullable=False),
    Column("files", Text, nullable=False),
    Column("kept_at", String(40), nullable=False),
)

# A batch came to what this version says already: it holds on, and no new version was issued (R5).
confirmations = Table(
    "confirmations",
    metadata,
    Column("report_id", String(64), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("batch_id", String(64), primary_key=True, index=True),
    ForeignKeyConstraint(["report_id", "version"], ["reports.report_id", "reports.version"]),
    sqlite_with_rowid=False,
)

# An objection against an item of a report; ``rows`` is JSON: the row digests that it freezes (R69). What became of it
# are events, never overwritten.
objections = Table(
    "objections",
    metadata,
    Column("objection_id", String(64), primary_key=True),
    Column("request_id", String(64), nullable=False, index=True),
    Column("report_id", String(64), nullable=False),
    Column("version", Integer, nullable=False),
    Column("item", String(40), nullable=False),
    Column("dataset", String(80), nullable=False),
    Column("rows", Text, nullable=False),
    Column("ground", String(40), nullable=False),
    Column("due_on", Date, nullable=False),
    Column("provisional", Boolean, nullable=False),
    ForeignKeyConstraint(["report_id", "version"], ["reports.report_id", "reports.version"]),
)

# ``at`` is the moment of the event as it was given; ``actor`` a code of an office, not a name.
objection_events = Table(
    "objection_events",
    metadata,
    Column("objection_id", String(64), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(12), nullable=False),
    Column("at", String(40), nullable=False),
    Column("actor", String(64), nullable=False),
    Column("outcome", String(20)),
    Column("received_at", String(40), nullable=False),
    ForeignKeyConstraint(["objection_id"], ["objections.objection_id"]),
    _one_of("kind", OBJECTION_EVENTS),
    sqlite_with_rowid=False,
)

# Append-only: the migration adds triggers that refuse update and delete. ``batch_id`` is empty for what belongs to
# no batch, so that the unique index holds there too; ``detail`` is canonical JSON without personal data.
ledger = Table(
    "ledger",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("at", String(40), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("batch_id", String(64), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("detail", Text, nullable=False),
    Column("previous_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Index("ix_ledger_kind", "kind", "batch_id", "subject", unique=True),
)
