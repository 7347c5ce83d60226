"""The SQLite file: transactions, the log of events, what a new database starts with."""
