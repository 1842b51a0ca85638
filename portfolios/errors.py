"""What callers get wrong on the lower floors. The doors turn these into a form error, a problem or exit code 2."""


class Refused(Exception):
    """A request that is understood and not accepted: a stable code, a sentence, the field at fault, an HTTP status."""

    def __init__(self, code: str, message: str, *, field: str = "", status: int = 422) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.field = field
        self.status = status
