"""Speed, measured against a named baseline in the same run, on stores that are thrown away."""
