"""Why a sign-in through the provider came to nothing."""

from portfolios.errors import Refused


class SignInDenied(Refused):
    """Shown as a friendly page, or by the API as a 401: the code goes to the log, the message to the person."""

    def __init__(self, code: str, message: str, *, status: int = 403) -> None:
        super().__init__(code, message, status=status)


class ProviderDown(SignInDenied):
    """The provider does not answer, too late, or with something that cannot be read."""

    def __init__(self, why: str) -> None:
        super().__init__("provider_down", "The sign-in service does not answer right now.", status=424)
        self.why = why
