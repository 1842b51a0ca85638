"""Real PostgreSQL and real Valkey out of PyPI wheels, for whoever was not given a URL."""
