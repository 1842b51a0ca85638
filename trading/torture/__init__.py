"""Seeded runs of the real services on a real database with everything going wrong that can: one seed, one run."""
