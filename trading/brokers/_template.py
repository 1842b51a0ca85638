"""The next broker: copy this file, fill in what raises, name the class in settings.BROKERS.

Nothing here knows our tables but the account's credentials. Every amount is an integer of millionths. No transaction is
open while a method runs, each may be called again at any time, and two processes may call at once.
"""

from collections.abc import Collection
from datetime import date

from django.core.exceptions import ImproperlyConfigured

from portfolios.models import Account
from portfolios.services.credentials import credentials_of
from trading.brokers.base import Abilities, Entry, Holdings, OrderRequest, Report, Standing, Traded, refuse_late

ADDRESS = ""  # of the broker's API; paper and live ones differ, and only the account's mode chooses
PATIENCE = 5.0  # seconds for one answer; after that BrokerSilent, never "rejected"


class TemplateBroker:
    """Raise BrokerSilent whenever an answer did not come or cannot be read. A guess costs somebody money."""

    # Seconds after which an order that the broker denies never arrived. As long as its own gateways may queue one.
    grace = 10.0

    def __init__(self, account: str) -> None:
        """`account` is our code of it. Raises ImproperlyConfigured: an unfinished adapter stops at the door."""
        if not ADDRESS:
            raise ImproperlyConfigured("trading/brokers/_template.py is a pattern to copy and reaches no broker")
        self.account = account
        self.credentials = credentials_of(Account.objects.get(code=account))  # Refused: the account is not trusted
        missing = {"key", "secret"} - set(self.credentials)
        if missing:  # names only, never what stands in them
            raise ImproperlyConfigured(f"{account} lacks the credentials {', '.join(sorted(missing))}")

    def submit(self, request: OrderRequest) -> Report:
        """Send `request.client_order_id` as the broker's own idempotency key.

        "Must be unique" means that it is there already: return what `find` says. A refusal that the broker words as
        such is Report("rejected", note=its words); a time-out, a 5xx or a broken answer is BrokerSilent. The last
        statement before the first byte is refuse_late, with a connection timeout shorter than what is left.
        """
        refuse_late(request)
        raise NotImplementedError

    def find(self, request: OrderRequest) -> Report | None:
        """By client_order_id, with every fill known. None only for the broker's plain "no such order" (a 404)."""
        raise NotImplementedError

    def cancel(self, request: OrderRequest) -> Report | None:
        """Ask, then report what the order is now: it may have filled meanwhile. None as in `find`."""
        raise NotImplementedError

    def open_orders(self) -> list[Standing]:
        """Every page of it. Those that people placed elsewhere too: reconciliation tells them apart."""
        raise NotImplementedError

    def fills_since(self, cursor: str) -> tuple[list[Traded], str]:
        """Oldest first, at most a page; the cursor must not skip a fill that was reported late."""
        raise NotImplementedError

    def holdings(self) -> Holdings | None:
        """Settled cash, not buying power. since_opening=False: the account holds what it held before us as well."""
        raise NotImplementedError

    def entries_since(self, first: date) -> list[Entry] | None:
        """Fees, dividends, deposits, whatever else moved money there, told late or not. None where nobody tells."""
        raise NotImplementedError

    def abilities(self, symbols: Collection[str]) -> Abilities | None:
        """What would be refused anyway is not sent. None where the broker cannot be asked."""
        raise NotImplementedError
