"""`qc phantoms`."""

import click


@click.command()
def phantoms() -> None:
    """To come."""
