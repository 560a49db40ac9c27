"""Runs, slides and coverages: the tables of stores that note no version, or of none at all."""

import sqlalchemy as sa
from alembic import op

from qc.errors import RunError

revision = "0001"
down_revision = None

_UTC = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables that are not there; those that are get the one column that came later.

    Raises:
        RunError: If a table of that name has other columns.
    """
    known = sa.inspect(op.get_bind())
    for name, columns in _tables().items():
        if not known.has_table(name):
            op.create_table(name, *columns)
            continue
        present = {column["name"] for column in known.get_columns(name)}
        for column in columns:
            if isinstance(column, sa.Column) and column.name not in present:
                _add(name, column)


def _add(table: str, column: sa.Column) -> None:
    if column.name != "domain_distance":
        raise RunError(f"the store's table {table} has no column {column.name}", "name another database")
    op.add_column(table, column)


def _tables() -> dict[str, list[sa.schema.SchemaItem]]:
    return {
        "runs": [
            sa.Column("id", sa.String(64), primary_key=True),
            sa.Column("created", _UTC, nullable=False),
            sa.Column("settings_fingerprint", sa.String(64), nullable=False),
            sa.Column("software_version", sa.String(32), nullable=False),
            sa.Column("profile", sa.String(80), nullable=False),
            sa.Column("settings_json", sa.Text(), nullable=False),
        ],
        "slides": [
            sa.Column("id", sa.Integer(), primary_key=True),
            sa.Column(
                "run_id", sa.String(64), sa.ForeignKey("runs.id", ondelete="CASCADE"), nullable=False, index=True
            ),
            sa.Column("slide_id", sa.String(96), nullable=False, index=True),
            sa.Column("recorded", _UTC, nullable=False),
            sa.Column("verdict", sa.String(16), nullable=False, index=True),
            sa.Column("reason", sa.Text(), nullable=False),
            sa.Column("focus_score", sa.Float()),
            sa.Column("stain_score", sa.Float()),
            sa.Column("domain_distance", sa.Float()),
            sa.Column("tissue_mm2", sa.Float()),
            sa.Column("usable_mm2", sa.Float()),
            sa.Column("record_json", sa.Text(), nullable=False),
            sa.UniqueConstraint("run_id", "slide_id"),
        ],
        "coverages": [
            sa.Column("slide_row", sa.Integer(), sa.ForeignKey("slides.id", ondelete="CASCADE"), primary_key=True),
            sa.Column("artefact_class", sa.String(16), primary_key=True),
            sa.Column("share", sa.Float()),
            sa.Column("area_mm2", sa.Float(), nullable=False),
        ],
    }
