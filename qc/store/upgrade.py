"""A database in, the same with today's tables out. Alembic is loaded only when an older store has to be changed."""

from importlib.resources import files

from sqlalchemy import Connection, Engine, insert, inspect, text

from qc.errors import RunError
from qc.store.chain import Head
from qc.store.change import HEAD_ID
from qc.store.engine import place, writing
from qc.store.guards import add_guards
from qc.store.schema import VERSION, AuditHead, Base

VERSION_TABLE = "qc_version"
_POSTGRESQL_LOCK = 0x5C11DE


def bring_up_to_date(engine: Engine) -> None:
    """Make the tables of a new store, or change those of an older one and keep its rows.

    Raises:
        RunError: If the store was made by a newer software, or its tables are not those of a store.
    """
    with engine.connect() as connection:
        if _version(connection) == VERSION:
            return
    with writing(engine).begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _POSTGRESQL_LOCK})
        version = _version(connection)  # another process may have been faster
        if version == "" and not inspect(connection).has_table("runs"):
            make(connection)
        elif version != VERSION:
            _refuse_newer(engine, version)
            migrate(connection)


def make(connection: Connection) -> None:
    """Today's tables in an empty database.

    Raises:
        RunError: If it has tables of our names that are none of ours.
    """
    taken = sorted(set(inspect(connection).get_table_names()) & set(Base.metadata.tables))
    if taken:
        raise RunError(f"the database holds a table {taken[0]} that is no table of a store", "name another database")
    Base.metadata.create_all(connection)
    add_first_rows(connection)
    connection.execute(text(f"CREATE TABLE {VERSION_TABLE} (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
    connection.execute(text(f"INSERT INTO {VERSION_TABLE} VALUES (:version)"), {"version": VERSION})


def add_first_rows(connection: Connection) -> None:
    """The end of an audit without rows, and the guards of the append-only tables."""
    start = Head()
    connection.execute(insert(AuditHead), {"id": HEAD_ID, "seq": start.seq, "hash": start.hash})
    add_guards(connection)


def migrate(connection: Connection, to: str = VERSION) -> None:
    """Change the tables of an older store, step by step, within the connection's transaction."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(files("qc.store") / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, to)
    if _version(connection) != to:
        raise RunError(f"the store {place(str(connection.engine.url))} did not reach version {to}", "report it")


def _version(connection: Connection) -> str:
    """Version of the store's tables; empty when it states none."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return ""
    return connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar_one_or_none() or ""


def _refuse_newer(engine: Engine, version: str) -> None:
    if version > VERSION:
        where = place(str(engine.url))
        raise RunError(
            f"the store {where} has tables of version {version}, this software knows {VERSION}", "update the software"
        )
