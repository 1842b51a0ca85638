"""What the pages read: a fixed number of queries each, however many cells there are."""
