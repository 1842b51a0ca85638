"""One history of prices: newer months in the table, older ones in files, read as if there were no border."""
