"""Counts first, rates last, intervals always."""

from qc.metrics.counts import Counts
from qc.metrics.intervals import bootstrap_interval, wilson_interval

__all__ = ["Counts", "bootstrap_interval", "wilson_interval"]
