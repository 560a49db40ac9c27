"""The version, on the lowest floor, for every output names it."""

__version__ = "0.1.0"
