"""What can go wrong with the embedded stores; every message is one line a person can act on."""


class StoreError(RuntimeError):
    """A store could not be started."""


class StoreMissing(StoreError):
    """There is no server to start on this machine; the message holds the command to type."""


class StoresInUse(StoreError):
    """Another process runs the stores of this folder."""

    def __init__(self, pid: int, doing: str) -> None:
        super().__init__(f"already running: {doing or 'another command'} (process {pid})")
        self.pid = pid
