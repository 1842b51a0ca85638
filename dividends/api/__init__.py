"""The JSON doors of the dividends floor."""
