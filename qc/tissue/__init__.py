"""Tissue mask of a slide. In: an overview and where the scanner gave pixels. Out: (H, W) bool."""

from qc.tissue.choose import locate_tissue
from qc.tissue.find import find_tissue

__all__ = ["find_tissue", "locate_tissue"]
