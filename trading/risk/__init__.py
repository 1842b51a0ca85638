"""May we trade at all."""
