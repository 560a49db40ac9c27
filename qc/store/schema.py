"""Tables of the store. Shares are 0-1, areas square millimetres, times UTC; NULL is what could not be computed."""

from datetime import datetime

from sqlalchemy import DateTime, Float, ForeignKey, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    """Base of all tables."""


class Run(Base):
    """One run: one set of settings and one profile over some slides."""

    __tablename__ = "runs"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    created: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    settings_fingerprint: Mapped[str] = mapped_column(String(64))
    software_version: Mapped[str] = mapped_column(String(32))
    profile: Mapped[str] = mapped_column(String(80))
    settings_json: Mapped[str] = mapped_column(Text)


class Slide(Base):
    """The latest result of one slide in one run."""

    __tablename__ = "slides"
    __table_args__ = (UniqueConstraint("run_id", "slide_id"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), index=True)
    slide_id: Mapped[str] = mapped_column(String(96), index=True)
    recorded: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    verdict: Mapped[str] = mapped_column(String(16), index=True)
    reason: Mapped[str] = mapped_column(Text)
    focus_score: Mapped[float | None] = mapped_column(Float)
    stain_score: Mapped[float | None] = mapped_column(Float)
    domain_distance: Mapped[float | None] = mapped_column(Float)
    tissue_mm2: Mapped[float | None] = mapped_column(Float)
    usable_mm2: Mapped[float | None] = mapped_column(Float)
    record_json: Mapped[str] = mapped_column(Text)
    coverages: Mapped[list["CoverageRow"]] = relationship(cascade="all, delete-orphan", lazy="raise")


class CoverageRow(Base):
    """Tissue of one slide under one class."""

    __tablename__ = "coverages"

    slide_row: Mapped[int] = mapped_column(ForeignKey("slides.id", ondelete="CASCADE"), primary_key=True)
    artefact_class: Mapped[str] = mapped_column(String(16), primary_key=True)
    share: Mapped[float | None] = mapped_column(Float)
    area_mm2: Mapped[float] = mapped_column(Float)
