"""The SQLite file: transactions, the log of events, users and passwords, the content of a new database."""
