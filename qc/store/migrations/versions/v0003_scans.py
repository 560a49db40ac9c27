"""Scanner and time of scanning beside each slide; reasons of failures without the names of files.

Results of earlier versions do not say how a slide was scanned: only the file's header can, when it is assessed again.
"""

import json
from pathlib import PurePath

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the columns, empty for what is there, and put ids in the place of file names."""
    op.add_column("slides", sa.Column("scanner", sa.String(64), nullable=False, server_default=""))
    op.add_column("slides", sa.Column("scanned_at", sa.String(32), nullable=False, server_default=""))
    bind = op.get_bind()
    slides = sa.table("slides", *(sa.column(name) for name in ("id", "slide_id", "verdict", "reason", "record_json")))
    failed = sa.select(slides.c.id, slides.c.slide_id, slides.c.reason, slides.c.record_json)
    for row in bind.execute(failed.where(slides.c.verdict == "unassessed")).all():
        path = json.loads(row.record_json).get("stamp", {}).get("path", "")
        if path and PurePath(path).name:
            reason = row.reason.replace(path, row.slide_id).replace(PurePath(path).name, row.slide_id)
            bind.execute(sa.update(slides).where(slides.c.id == row.id).values(reason=reason))
