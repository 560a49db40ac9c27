"""`qc bench`."""

import click


@click.command()
def bench() -> None:
    """To come."""
