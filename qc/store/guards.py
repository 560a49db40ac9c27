"""Triggers that keep append-only tables as they are, in the SQL of each database.

They stop mistakes and ordinary tools; who may drop triggers can go round them, and then the chain tells.
"""

from sqlalchemy import Connection

APPEND_ONLY = ("audit", "decisions", "settings", "rescans")
"""Tables in which rows are added, never changed or removed."""


def add_guards(connection: Connection) -> None:
    """Refuse changes and removals in the append-only tables, and rows of the audit that do not follow the last."""
    statements = _SQLITE if connection.dialect.name == "sqlite" else _POSTGRESQL
    for statement in statements:
        connection.exec_driver_sql(statement)


_FOLLOWS = """NEW.seq = (SELECT coalesce(max(seq), 0) + 1 FROM audit)
    AND NEW.previous = coalesce((SELECT hash FROM audit WHERE seq = NEW.seq - 1), '{}')""".format("0" * 64)

_SQLITE = [
    f"""CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table}
    BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"""
    for table in APPEND_ONLY
    for verb in ("UPDATE", "DELETE")
] + [
    # Also stops INSERT OR REPLACE, which removes a row without a word to the trigger above.
    f"""CREATE TRIGGER audit_follows BEFORE INSERT ON audit WHEN NOT ({_FOLLOWS})
    BEGIN SELECT RAISE(ABORT, 'a row of the audit must follow the last one'); END"""
]

_POSTGRESQL = [
    """CREATE FUNCTION qc_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION USING MESSAGE = TG_TABLE_NAME || ' is append-only'; END $$""",
    f"""CREATE FUNCTION qc_audit_follows() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
    IF NOT ({_FOLLOWS}) THEN RAISE EXCEPTION 'a row of the audit must follow the last one'; END IF;
    RETURN NEW;
    END $$""",
    "CREATE TRIGGER audit_follows BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION qc_audit_follows()",
    *(
        f"""CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
        FOR EACH STATEMENT EXECUTE FUNCTION qc_append_only()"""
        for table in APPEND_ONLY
    ),
]
