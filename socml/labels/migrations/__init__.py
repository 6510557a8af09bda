"""An older label store → this one: Alembic's revisions, run when a store is opened."""
