"""Recorded bars: files read strictly, kept as Parquet, looked over for what is missing in them."""
