"""History through the same rule: runs, sweeps, previews."""
