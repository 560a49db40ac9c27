"""Runs and slides in a database: SQLite by default, PostgreSQL by URL, one SQLAlchemy code path."""
