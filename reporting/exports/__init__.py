"""Taking one's data away: what there is, whose it is, and the three kinds of files it comes in."""
