"""`qc users`."""

import json

import click

from qc.cli.options import json_option

ROLES = ("viewer", "technician", "qc_manager", "admin")


@click.group()
def users() -> None:
    """Who may do what in a store; STORE is a run folder, a SQLite file or a database URL."""


@users.command("set")
@click.argument("store_name", metavar="STORE")
@click.argument("subject")
@click.option("--name", required=True, help="Name for people.")
@click.option("--role", type=click.Choice(ROLES), required=True, help="What the person may do.")
@click.option("--active/--left", "is_active", default=True, help="Someone who left may change nothing.")
def set_user(store_name: str, subject: str, name: str, role: str, is_active: bool) -> None:
    """Note the name and role of SUBJECT, the id that the login gives a person."""
    from pydantic import ValidationError

    from qc.cli.stores import opened
    from qc.store.people import Role, User, local_admin

    try:
        user = User(subject=subject, name=name, role=Role(role), is_active=is_active)
    except ValidationError as error:
        problem = error.errors()[0]
        raise click.BadParameter(f"{problem['loc'][0]}: {problem['msg']}") from error
    with opened(store_name) as store:
        store.put_user(local_admin(), user)
    click.echo(f"{name} ({subject}) is {user.role.label}{'' if is_active else ', no longer active'}")


@users.command("list")
@click.argument("store_name", metavar="STORE")
@json_option
def list_users(store_name: str, as_json: bool) -> None:
    """List the people that a store knows."""
    from qc.cli.stores import opened

    with opened(store_name) as store:
        known = store.users()
    if as_json:
        click.echo(json.dumps([user.model_dump(mode="json") for user in known], indent=2))
        return
    for user in known:
        click.echo(f"{user.name}  {user.role.label}  {user.subject}{'' if user.is_active else '  (left)'}")
