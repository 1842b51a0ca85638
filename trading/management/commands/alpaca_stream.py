"""Listen to what Alpaca tells of our orders: each message into the inbox as it came, the books compared after a gap."""

import hashlib
import threading
from argparse import ArgumentParser
from typing import Any

import structlog
from django.core.management.base import BaseCommand
from django.db import DatabaseError, close_old_connections, connection

from portfolios.models import Account
from trading.brokers.alpaca.addresses import access_of
from trading.brokers.alpaca.stream import Stream
from trading.brokers.base import BrokerSilent
from trading.models import InboxMessage
from trading.services.inbox import hear_of, receive
from trading.services.reconciliation import doubt
from trading.sockets import pause
from trading.tasks import process_inbox, reconcile_account, ring

log = structlog.get_logger(__name__)
LOOK = 10.0  # seconds between looks at which accounts there are
PATIENCE = 1.0


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--look", type=float, default=LOOK, help="seconds between looks for new accounts")

    def handle(self, *_args: Any, **options: Any) -> None:
        """One thread per account; whoever is closed or gets other credentials is left, and perhaps begun anew."""
        listeners: dict[tuple[int, str], threading.Event] = {}
        while True:
            close_old_connections()
            try:
                wanted = set(accounts())
            except DatabaseError as error:
                log.warning("the stream waits for the database", error=str(error))
                wanted = set(listeners)
            for known in set(listeners) - wanted:
                listeners.pop(known).set()
            for account in wanted - set(listeners):
                listeners[account] = threading.Event()
                words = (account[0], listeners[account])
                threading.Thread(target=listen, args=words, name=f"account-{account[0]}", daemon=True).start()
            threading.Event().wait(options["look"])


def accounts() -> list[tuple[int, str]]:
    """Those that somebody can speak to, with what opens them as it lies there: encrypted."""
    found = Account.objects.filter(adapter="alpaca").exclude(state=Account.Status.CLOSED).exclude(sealed="")
    return list(found.values_list("pk", "sealed"))


def listen(account_id: int, stop: threading.Event) -> None:
    """A thread of its own, with a connection of its own to the database."""
    try:
        keep_listening(account_id, stop)
    finally:
        connection.close()


def keep_listening(account_id: int, stop: threading.Event) -> None:
    """Connected again and again, less often while it fails, until told to stop."""
    failures = 0
    while not stop.is_set():
        close_old_connections()
        try:
            account = Account.objects.get(pk=account_id)
            with Stream(access_of(account)) as stream:
                log.info("the stream is open", account=str(account.public_id))
                failures = 0
                catch_up(account_id)
                follow(stream, account_id, stop)
            return
        except BrokerSilent as silence:
            failures += 1
            log.warning("the stream is down", account_id=account_id, why=str(silence))
        except DatabaseError as error:
            failures += 1
            log.warning("the stream waits for the database", account_id=account_id, error=type(error).__name__)
        stop.wait(pause(failures))


def catch_up(account_id: int) -> None:
    """Whatever was told while nobody listened: nothing is sent until the books were found equal anew."""
    doubt(account_id=account_id)
    ring(reconcile_account, account_id=account_id, why="reconnect")


def follow(stream: Stream, account_id: int, stop: threading.Event) -> None:
    """Raises BrokerSilent when it breaks off."""
    noted = 0.0
    while not stop.is_set():
        raw = stream.next(PATIENCE)
        if raw is not None:
            take_in(account_id, raw)
        elif stream.heard_at > noted:
            hear_of(account_id)
        noted = stream.heard_at


def take_in(account_id: int, raw: bytes) -> None:
    """Stored, then worked on by whoever hears the bell. The same words again are the same message."""
    body = raw.decode(errors="backslashreplace").replace("\0", "\\0")
    name = hashlib.sha256(raw).hexdigest()
    message, is_new = receive(account_id=account_id, channel=InboxMessage.Channel.STREAM, delivery_id=name, body=body)
    if is_new:
        ring(process_inbox, message_id=message.pk)
