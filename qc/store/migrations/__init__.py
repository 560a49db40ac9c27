"""How the tables of an older store become today's: one step for each version, run by Alembic."""
