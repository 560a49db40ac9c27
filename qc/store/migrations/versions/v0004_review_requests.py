"""Requests for review by filters, beside what people decide."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "review_requests",
        sa.Column("id", sa.Integer(), sa.ForeignKey("audit.seq"), primary_key=True, autoincrement=False),
        sa.Column("run_id", sa.String(64), sa.ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
        _text("slide_id", 96),
        _text("slide_fingerprint", 64),
        _text("profile", 80),
        _text("filter_fingerprint", 64),
        _text("why"),
        _text("subject", 200),
        _text("name", 120),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("run_id", "slide_id", "profile", "filter_fingerprint"),
    )


def _text(name: str, length: int | None = None) -> sa.Column:
    return sa.Column(name, sa.String(length) if length else sa.Text(), nullable=False)
