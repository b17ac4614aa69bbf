"""The truth: SQL tables and the statements over them, on SQLite and PostgreSQL alike.

Holds no decisions. A file a table group: `schema/` declares, the modules beside it state. Rooms call the statements
inside transactions that `Database` opens.
"""
