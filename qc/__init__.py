"""SlideGate: quality control and dataset curation for whole-slide images."""

__version__ = "0.1.0"
