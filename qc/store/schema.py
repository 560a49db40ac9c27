"""Tables of the store. Shares are 0-1, areas square millimetres, times UTC; NULL is what could not be computed."""

from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlalchemy import Boolean, DateTime, Float, ForeignKey, Index, Integer, String, Text, TypeDecorator, text
from sqlalchemy import UniqueConstraint as Unique
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

VERSION = "0004"
"""The revision of qc.store.migrations that these tables are; the version of a store that needs no upgrade."""


class UtcDateTime(TypeDecorator[datetime]):
    """A point in time that comes back as UTC from databases that keep no time zone, too."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:  # noqa: ARG002
        """To UTC on the way in."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:  # noqa: ARG002
        """To UTC on the way out."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Base of all tables."""

    type_annotation_map: ClassVar = {datetime: UtcDateTime}


class Run(Base):
    """One run: one set of settings and one profile over some slides."""

    __tablename__ = "runs"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    created: Mapped[datetime]
    settings_fingerprint: Mapped[str] = mapped_column(String(64))
    software_version: Mapped[str] = mapped_column(String(32))
    profile: Mapped[str] = mapped_column(String(80))
    settings_json: Mapped[str] = mapped_column(Text)


class Slide(Base):
    """The latest result of one slide in one run."""

    __tablename__ = "slides"
    __table_args__ = (Unique("run_id", "slide_id"), Index("ix_slides_latest", "slide_id", "recorded", "id"))

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), index=True)
    slide_id: Mapped[str] = mapped_column(String(96), index=True)
    recorded: Mapped[datetime]
    verdict: Mapped[str] = mapped_column(String(16), index=True)
    reason: Mapped[str] = mapped_column(Text)
    focus_score: Mapped[float | None] = mapped_column(Float)
    stain_score: Mapped[float | None] = mapped_column(Float)
    domain_distance: Mapped[float | None] = mapped_column(Float)
    tissue_mm2: Mapped[float | None] = mapped_column(Float)
    usable_mm2: Mapped[float | None] = mapped_column(Float)
    slide_fingerprint: Mapped[str] = mapped_column(String(64), server_default=text("''"))
    artefact_share: Mapped[float | None] = mapped_column(Float)
    scanner: Mapped[str] = mapped_column(String(64), server_default=text("''"))
    scanned_at: Mapped[str] = mapped_column(String(32), server_default=text("''"))
    record_json: Mapped[str] = mapped_column(Text)
    coverages: Mapped[list["CoverageRow"]] = relationship(cascade="all, delete-orphan", lazy="raise")


class CoverageRow(Base):
    """Tissue of one slide under one class."""

    __tablename__ = "coverages"

    slide_row: Mapped[int] = mapped_column(ForeignKey("slides.id", ondelete="CASCADE"), primary_key=True)
    artefact_class: Mapped[str] = mapped_column(String(16), primary_key=True)
    share: Mapped[float | None] = mapped_column(Float)
    area_mm2: Mapped[float] = mapped_column(Float)


class AuditRow(Base):
    """One change, chained to the one before by its hash; append-only."""

    __tablename__ = "audit"

    seq: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    at: Mapped[str] = mapped_column(String(32))
    subject: Mapped[str] = mapped_column(String(200))
    name: Mapped[str] = mapped_column(String(120))
    role: Mapped[str] = mapped_column(String(16))
    action: Mapped[str] = mapped_column(String(32))
    run_id: Mapped[str] = mapped_column(String(64))
    slide_id: Mapped[str] = mapped_column(String(96), index=True)
    detail: Mapped[str] = mapped_column(Text)
    previous: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class AuditHead(Base):
    """The last row of the audit; one row, which a writer holds until its change is whole."""

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    seq: Mapped[int]
    hash: Mapped[str] = mapped_column(String(64))


class DecisionRow(Base):
    """What a person decided, or that an earlier decision is withdrawn; `id` is the row of the audit; append-only."""

    __tablename__ = "decisions"
    __table_args__ = (
        Index("ix_decisions_slide", "run_id", "slide_id"),
        Unique("run_id", "slide_id", "subject", "nonce"),
    )

    id: Mapped[int] = mapped_column(ForeignKey("audit.seq"), primary_key=True, autoincrement=False)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"))
    slide_id: Mapped[str] = mapped_column(String(96))
    slide_fingerprint: Mapped[str] = mapped_column(String(64))
    action: Mapped[str | None] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(String(32))
    note: Mapped[str] = mapped_column(Text)
    could_be_used: Mapped[bool | None] = mapped_column(Boolean)
    withdraws: Mapped[int | None] = mapped_column(ForeignKey("decisions.id"), unique=True)
    subject: Mapped[str] = mapped_column(String(200))
    name: Mapped[str] = mapped_column(String(120))
    role: Mapped[str] = mapped_column(String(16))
    at: Mapped[datetime]
    nonce: Mapped[str | None] = mapped_column(String(64))


class UserRow(Base):
    """A person and what the person may do."""

    __tablename__ = "users"

    subject: Mapped[str] = mapped_column(String(200), primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    role: Mapped[str] = mapped_column(String(16))
    is_active: Mapped[bool] = mapped_column(Boolean)


class LockRow(Base):
    """A slide that somebody looks at, until then."""

    __tablename__ = "locks"

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    slide_id: Mapped[str] = mapped_column(String(96), primary_key=True)
    subject: Mapped[str] = mapped_column(String(200))
    name: Mapped[str] = mapped_column(String(120))
    until: Mapped[datetime]


class PriorityRow(Base):
    """How urgent a slide is; 0 where there is no row, higher goes first."""

    __tablename__ = "priorities"

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    slide_id: Mapped[str] = mapped_column(String(96), primary_key=True)
    priority: Mapped[int]


class ReviewRequestRow(Base):
    """What a filter asks people to look at; `id` is the row of the audit; gone when that filter asks no more."""

    __tablename__ = "review_requests"
    __table_args__ = (Unique("run_id", "slide_id", "profile", "filter_fingerprint"),)

    id: Mapped[int] = mapped_column(ForeignKey("audit.seq"), primary_key=True, autoincrement=False)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    slide_id: Mapped[str] = mapped_column(String(96))
    slide_fingerprint: Mapped[str] = mapped_column(String(64))
    profile: Mapped[str] = mapped_column(String(80))
    filter_fingerprint: Mapped[str] = mapped_column(String(64))
    why: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(String(200))
    name: Mapped[str] = mapped_column(String(120))
    at: Mapped[datetime]


class SettingRow(Base):
    """One version of a named setting or profile; `id` is the row of the audit; append-only."""

    __tablename__ = "settings"
    __table_args__ = (Unique("name", "version"),)

    id: Mapped[int] = mapped_column(ForeignKey("audit.seq"), primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(120))
    version: Mapped[int]
    content: Mapped[str] = mapped_column(Text)
    fingerprint: Mapped[str] = mapped_column(String(64))
    note: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(String(200))
    at: Mapped[datetime]


class RescanRow(Base):
    """Which slide came for which other; `id` is the row of the audit; the last one of an old slide counts."""

    __tablename__ = "rescans"
    __table_args__ = (Index("ix_rescans_old", "old_run_id", "old_slide_id"),)

    id: Mapped[int] = mapped_column(ForeignKey("audit.seq"), primary_key=True, autoincrement=False)
    old_run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"))
    old_slide_id: Mapped[str] = mapped_column(String(96))
    new_run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"))
    new_slide_id: Mapped[str] = mapped_column(String(96))
