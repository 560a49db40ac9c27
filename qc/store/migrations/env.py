"""What Alembic runs: the steps that are due, in the transaction of the caller (qc.store.upgrade)."""

from alembic import context


def run() -> None:
    """Run the steps that are due on the connection that the configuration carries."""
    context.configure(connection=context.config.attributes["connection"], version_table="qc_version")
    context.run_migrations()


if __name__ == "env_py":  # the name Alembic loads this file under; any other import does nothing
    run()
