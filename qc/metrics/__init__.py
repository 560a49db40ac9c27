"""Counts first, rates last, intervals always."""

from qc.metrics.counts import Counts
from qc.metrics.intervals import bootstrap_interval, wilson_interval
from qc.metrics.operating import threshold_at_tnr, thresholds_from_others

__all__ = ["Counts", "bootstrap_interval", "threshold_at_tnr", "thresholds_from_others", "wilson_interval"]
