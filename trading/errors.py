"""What goes wrong in trading that is not a caller's refusal."""


class BrokenCell(Exception):
    """Work on one cell failed for a reason nobody foresaw; the cell has been quarantined."""


class IllegalMove(Exception):
    """An order was to move in a way its life does not allow."""
