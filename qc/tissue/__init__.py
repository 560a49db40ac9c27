"""Tissue mask of a slide. In: an overview and where the scanner gave pixels. Out: (H, W) bool. Pure; no files."""

from qc.tissue.find import find_tissue

__all__ = ["find_tissue"]
