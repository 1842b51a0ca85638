"""What goes wrong in trading that is not a caller's refusal."""


class IllegalMove(Exception):
    """An order was to move in a way its life does not allow."""
