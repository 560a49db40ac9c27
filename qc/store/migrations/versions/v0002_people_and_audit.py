"""People in the store: decisions, users, locks, priorities, settings, re-scans, and the audit of them all."""

import json

import sqlalchemy as sa
from alembic import op

from qc.store.guards import add_guards

revision = "0002"
down_revision = "0001"

_UTC = sa.DateTime(timezone=True)
_ROWS_AT_ONCE = 500
_ARTEFACTS = ("fold", "foreign", "pen", "bubble", "out_of_focus")


def upgrade() -> None:
    """Add the tables, and to each slide what its file is and how much of it is artefact."""
    _extend_slides()
    _audit()
    _decisions()
    _work()
    op.bulk_insert(
        sa.table("audit_head", sa.column("id"), sa.column("seq"), sa.column("hash")),
        [{"id": 1, "seq": 0, "hash": "0" * 64}],
    )
    add_guards(op.get_bind())


def _extend_slides() -> None:
    op.add_column("slides", sa.Column("slide_fingerprint", sa.String(64), nullable=False, server_default=""))
    op.add_column("slides", sa.Column("artefact_share", sa.Float()))
    op.create_index("ix_slides_latest", "slides", ["slide_id", "recorded", "id"])
    bind = op.get_bind()
    slides = sa.table("slides", *(sa.column(name) for name in ("id", "record_json", *_NEW)))
    fill = (
        sa.update(slides)
        .where(slides.c.id == sa.bindparam("row"))
        .values({name: sa.bindparam(f"new_{name}") for name in _NEW})
    )
    last = 0
    page = sa.select(slides.c.id, slides.c.record_json).order_by(slides.c.id).limit(_ROWS_AT_ONCE)
    while rows := bind.execute(page.where(slides.c.id > last)).all():
        bind.execute(fill, [_of_record(row.id, row.record_json) for row in rows])
        last = rows[-1].id


_NEW = ("slide_fingerprint", "artefact_share")


def _of_record(row: int, record_json: str) -> dict[str, object]:
    record = json.loads(record_json)
    coverage = record.get("coverage", {})
    shares = [coverage.get(name, {}).get("share") for name in _ARTEFACTS]
    is_known = all(share is not None for share in shares)
    return {
        "row": row,
        "new_slide_fingerprint": record.get("stamp", {}).get("slide_fingerprint", ""),
        "new_artefact_share": sum(shares) if is_known else None,
    }


def _text(name: str, length: int | None = None) -> sa.Column:
    return sa.Column(name, sa.String(length) if length else sa.Text(), nullable=False)


def _audit_number(name: str = "id") -> sa.Column:
    return sa.Column(name, sa.Integer(), sa.ForeignKey("audit.seq"), primary_key=True, autoincrement=False)


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("seq", sa.Integer(), primary_key=True, autoincrement=False),
        _text("at", 32),
        _text("subject", 200),
        _text("name", 120),
        _text("role", 16),
        _text("action", 32),
        _text("run_id", 64),
        sa.Column("slide_id", sa.String(96), nullable=False, index=True),
        _text("detail"),
        _text("previous", 64),
        _text("hash", 64),
    )
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        _text("hash", 64),
    )


def _decisions() -> None:
    op.create_table(
        "decisions",
        _audit_number(),
        sa.Column("run_id", sa.String(64), sa.ForeignKey("runs.id"), nullable=False),
        _text("slide_id", 96),
        _text("slide_fingerprint", 64),
        sa.Column("action", sa.String(16)),
        sa.Column("reason", sa.String(32)),
        _text("note"),
        sa.Column("could_be_used", sa.Boolean()),
        sa.Column("withdraws", sa.Integer(), sa.ForeignKey("decisions.id"), unique=True),
        _text("subject", 200),
        _text("name", 120),
        _text("role", 16),
        sa.Column("at", _UTC, nullable=False),
        sa.Column("nonce", sa.String(64)),
        sa.UniqueConstraint("run_id", "slide_id", "subject", "nonce"),
    )
    op.create_index("ix_decisions_slide", "decisions", ["run_id", "slide_id"])


def _work() -> None:
    op.create_table(
        "users",
        sa.Column("subject", sa.String(200), primary_key=True),
        _text("name", 120),
        _text("role", 16),
        sa.Column("is_active", sa.Boolean(), nullable=False),
    )
    for table, *columns in (
        ("locks", _text("subject", 200), _text("name", 120), sa.Column("until", _UTC, nullable=False)),
        ("priorities", sa.Column("priority", sa.Integer(), nullable=False)),
    ):
        op.create_table(
            table,
            sa.Column("run_id", sa.String(64), sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
            sa.Column("slide_id", sa.String(96), primary_key=True),
            *columns,
        )
    op.create_table(
        "settings",
        _audit_number(),
        _text("name", 120),
        sa.Column("version", sa.Integer(), nullable=False),
        _text("content"),
        _text("fingerprint", 64),
        _text("note"),
        _text("subject", 200),
        sa.Column("at", _UTC, nullable=False),
        sa.UniqueConstraint("name", "version"),
    )
    op.create_table(
        "rescans",
        _audit_number(),
        sa.Column("old_run_id", sa.String(64), sa.ForeignKey("runs.id"), nullable=False),
        _text("old_slide_id", 96),
        sa.Column("new_run_id", sa.String(64), sa.ForeignKey("runs.id"), nullable=False),
        _text("new_slide_id", 96),
    )
    op.create_index("ix_rescans_old", "rescans", ["old_run_id", "old_slide_id"])
