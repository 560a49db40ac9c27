"""`qc doctor`."""

import click

from qc.cli.options import json_option


@click.command()
@json_option
def doctor(as_json: bool) -> None:
    """Say what is installed here: libraries, slide formats, devices, extras."""
    import json

    from qc.doctor import examine

    findings = examine()
    if as_json:
        click.echo(json.dumps(findings, indent=2))
        return
    for topic, entries in findings.items():
        click.echo(topic)
        for name, value in entries.items():
            click.echo(f"  {name:<28} {value}")
