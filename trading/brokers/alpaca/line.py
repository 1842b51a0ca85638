"""One question over HTTP and its answer. What is not a plain answer of the broker's is BrokerSilent."""

import json
import threading
import time
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from trading.brokers.alpaca.addresses import Access
from trading.brokers.base import BrokerSilent

if TYPE_CHECKING:
    import requests

CONNECT, READ, WHOLE = 2.0, 8.0, 15.0  # seconds: to connect, for the next bytes, for all of an answer
LARGEST, CHUNK = 8 << 20, 1 << 16  # bytes of an answer
PATIENCE = 2.0  # seconds a question may wait for the limit on requests; one that is an order never waits
LONGEST_PAUSE = 90.0

paused: dict[str, float] = {}  # by key: until when, on the monotonic clock, this process asks nothing
sessions = threading.local()


class Answer(NamedTuple):
    """A plain one, in JSON. code 0 where it names none."""

    status: int
    body: Any

    @property
    def code(self) -> int:
        code = self.body.get("code") if isinstance(self.body, dict) else None
        return code if isinstance(code, int) else 0

    @property
    def words(self) -> str:
        words = self.body.get("message") if isinstance(self.body, dict) else None
        return words[:200] if isinstance(words, str) else ""


class Line:
    """To one account. Never sends anything twice by itself."""

    def __init__(self, access: Access) -> None:
        self.rest, self.key = access.address.rest, access.key
        keys = {"APCA-API-KEY-ID": access.key, "APCA-API-SECRET-KEY": access.secret}
        self.headers = keys | {"Accept": "application/json", "Accept-Encoding": "identity"}

    def get(self, path: str, **params: str) -> Answer:
        """Waits a moment where the limit on requests says so."""
        self.wait(PATIENCE)
        return self.ask("GET", path, params=params)

    def ask(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, str | bool] | None = None,
        connect: float = CONNECT,
    ) -> Answer:
        """`connect`: seconds to connect within; until then no byte of the question has left."""
        import requests  # noqa: PLC0415 - 0.1 s

        self.wait(0.0)
        try:
            with session().request(
                method,
                self.rest + path,
                params=params,
                json=body,
                headers=self.headers,
                timeout=(min(connect, CONNECT), READ),
                allow_redirects=False,
                stream=True,
            ) as response:
                raw = whole(response)
                self.note_limit(response)
        except BrokerSilent:
            raise
        except (requests.RequestException, OSError, ValueError) as error:
            raise BrokerSilent(f"no answer: {type(error).__name__}") from None
        except Exception as error:  # urllib3's own, while the answer is read
            raise BrokerSilent(f"the answer broke off: {type(error).__name__}") from None
        if response.status_code == 429:
            raise BrokerSilent("too many requests: nothing was taken")
        if response.status_code >= 500 or response.is_redirect:
            raise BrokerSilent(f"the broker answered {response.status_code}")
        return Answer(response.status_code, parsed(raw) if raw else None)

    def wait(self, patience: float) -> None:
        """Until the limit on requests is lifted, or BrokerSilent where that takes too long."""
        left = paused.get(self.key, 0.0) - time.monotonic()
        if left > patience:
            raise BrokerSilent("too many requests: waiting until more are allowed")
        if left > 0:
            time.sleep(left)

    def note_limit(self, response: "requests.Response") -> None:
        """After a 429 nothing is asked until X-RateLimit-Reset (Unix seconds), or one second where it is not told."""
        if response.status_code != 429:
            return
        reset = response.headers.get("X-RateLimit-Reset", "")
        seconds = int(reset) - time.time() if reset.isascii() and reset.isdigit() and len(reset) < 12 else 1.0
        paused[self.key] = time.monotonic() + min(max(seconds, 1.0), LONGEST_PAUSE)


def whole(response: "requests.Response") -> bytes:
    """All of an answer, unless it is too long, or comes too slowly. Raises BrokerSilent, and what reading raises."""
    raw, until = bytearray(), time.monotonic() + WHOLE
    while chunk := response.raw.read1(CHUNK, decode_content=True):
        raw += chunk
        if len(raw) > LARGEST:
            raise BrokerSilent("the answer is too long")
        if time.monotonic() > until:
            raise BrokerSilent("the answer comes too slowly")
    return bytes(raw)


def session() -> "requests.Session":
    """One per thread, kept open; it takes neither proxies nor passwords from the surroundings."""
    import requests  # noqa: PLC0415 - 0.1 s

    if not hasattr(sessions, "own"):
        sessions.own = requests.Session()
        sessions.own.trust_env = False
    own: requests.Session = sessions.own
    return own


def parsed(raw: bytes) -> Any:
    """JSON whose numbers stay decimal. Raises BrokerSilent for anything else."""
    try:
        return json.loads(raw, parse_float=Decimal, parse_constant=refuse)
    except (ValueError, RecursionError):
        raise BrokerSilent("the answer cannot be read") from None


def refuse(name: str) -> NoReturn:
    raise ValueError(name)
