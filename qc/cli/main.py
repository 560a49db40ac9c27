"""The command `qc`: its verbs, and what happens when one of them fails."""

import sys

import click

from qc.cli.ablate import ablate
from qc.cli.assess import assess
from qc.cli.audit import audit
from qc.cli.bench import bench
from qc.cli.dashboard import dashboard
from qc.cli.demo import demo
from qc.cli.doctor import doctor
from qc.cli.downstream import downstream
from qc.cli.evaluate import evaluate
from qc.cli.export import export
from qc.cli.feedback import feedback
from qc.cli.filter import filter_command
from qc.cli.import_ import import_command
from qc.cli.phantoms import phantoms
from qc.cli.report import report
from qc.cli.show import show
from qc.cli.split import split
from qc.cli.train import train
from qc.cli.users import users
from qc.cli.watch import watch
from qc.errors import QCError
from qc.version import __version__

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="qc")
def cli() -> None:
    """SlideGate: find out which tissue on a slide can be trusted."""


for command in (
    assess,
    watch,
    show,
    report,
    audit,
    users,
    demo,
    dashboard,
    bench,
    evaluate,
    export,
    filter_command,
    downstream,
    import_command,
    feedback,
    split,
    phantoms,
    train,
    ablate,
    doctor,
):
    cli.add_command(command)


def main() -> None:
    """Run the command line; an error of ours is one sentence and exit code 2."""
    try:
        sys.exit(cli.main(standalone_mode=False))
    except click.exceptions.Abort:
        click.echo("interrupted", err=True)
        sys.exit(EXIT_INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except QCError as error:
        click.echo(f"qc: {error}", err=True)
        sys.exit(EXIT_USAGE)
