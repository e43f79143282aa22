"""The database: tables, migrations, journal, records."""
