"""The command line: parse, configure, call, print. Commands import their stage inside, so help is instant."""

from qc.cli.main import main

__all__ = ["main"]
