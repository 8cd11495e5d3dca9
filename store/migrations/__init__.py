"""How the tables came to be what they are: one module for each step, carried out by Alembic."""
