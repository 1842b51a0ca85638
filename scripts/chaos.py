"""The whole house, a random process of it killed every half second while orders are placed, and then the count.

In a data folder of its own. Ends with 1 where an order was lost, made twice, or settled too late.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from manage import refuse

PATIENCE = 30.0  # seconds after the last kill in which the last order must settle
CUSTOMERS, CELLS = 2, 16  # orders under way at once: one per cell
PATIENT, HASTY = 1.0, 0.1  # seconds until a customer asks again: told to wait, as the last order is open; or unheard
PAUSE = 0.2  # before what was killed begins again: with the usual back-off nobody would be there to be killed


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/chaos", description=__doc__)
    parser.add_argument("--orders", type=int, default=1_000)
    parser.add_argument("--every", type=float, default=0.5, help="seconds between kills; 0 for none")
    parser.add_argument("--flush", type=float, default=0.0, help="seconds between FLUSHALLs of the queue; 0 for none")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--port", type=int, default=8790)
    parser.error = partial(refuse, parser)  # type: ignore[method-assign]
    wishes = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vb-chaos-") as folder:
        os.environ |= {
            "VBALANCE_LOG_LEVEL": "CRITICAL",
            "VBALANCE_VAR": folder,
            "DJANGO_SETTINGS_MODULE": "vbalance.settings",
            "DATABASE_URL": "",
            "REDIS_URL": "",
        }
        raise SystemExit(run(wishes, Path(folder)))


def run(wishes: argparse.Namespace, folder: Path) -> int:
    """This process is the house's supervisor, so that it knows whom to kill; customers are another process."""
    import django

    django.setup()
    from vbalance import processes
    from vbalance.house import House, Wishes
    from vbalance.management.commands.up import stores

    asked = Wishes(host="127.0.0.1", port=wishes.port, feed=True, demo=True, web_only=False, speed=2.0)
    with stores("chaos") as running:
        house = House(running, asked)
        try:
            if not house.prepare():
                return 1
            house.open()
            processes.FIRST_PAUSE = processes.LONGEST_PAUSE = PAUSE
            for watched in house.supervisor.watched:
                watched.pause = PAUSE
            missing = house.wait_until_ready()
            if missing:
                print("not ready:", missing)
                return 1
            return put_through_it(house, wishes, folder, asked.url)
        finally:
            house.close()


def put_through_it(house: Any, wishes: argparse.Namespace, folder: Path, url: str) -> int:
    command = [
        sys.executable,
        "-c",
        f"from scripts.chaos import buy_and_sell as go; go({url!r}, {str(folder)!r}, {wishes.orders})",
    ]
    customers = subprocess.Popen(command)
    luck = random.Random(wishes.seed)
    kills: dict[str, int] = {}
    flushes, began = 0, time.monotonic()
    next_kill, next_flush = began + wishes.every, began + wishes.flush
    while customers.poll() is None:
        house.supervisor.look_after()
        now = time.monotonic()
        if wishes.every and now >= next_kill:
            next_kill += wishes.every
            name = kill_one(house, luck)
            kills[name] = kills.get(name, 0) + 1
        if wishes.flush and now >= next_flush:
            next_flush += wishes.flush
            flushes += flushed()
    took = time.monotonic() - began
    print(f"{wishes.orders} orders placed in {took:.0f} s; killed {sum(kills.values())}: {kills}; {flushes} flushes")
    return settled(house, folder, wishes.orders, time.monotonic()) or customers.returncode


def kill_one(house: Any, luck: random.Random) -> str:
    """SIGKILL: nothing is tidied up. PostgreSQL is left alone: what it promised is what is being tried."""
    alive = [
        row for row in house.supervisor.watched if row.name != "postgres" and row.process and row.process.poll() is None
    ]
    if not alive:
        return "nobody"
    victim = luck.choice(alive)
    os.kill(victim.process.pid, signal.SIGKILL)
    return str(victim.name)


def flushed() -> int:
    import redis
    from django.conf import settings

    try:
        redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1).flushall()
    except redis.RedisError:
        return 0
    return 1


def settled(house: Any, folder: Path, orders: int, stopped: float) -> int:
    """Wait until everything has ended, as a person looks on, then count. Asked by another process: this one forks."""
    while True:
        for _ in range(5):
            house.supervisor.look_after()
        left = int(
            subprocess.run(
                [sys.executable, "-c", "from scripts.chaos import still_open as go; go()"],
                check=True,
                capture_output=True,
                text=True,
            ).stdout
        )
        took = time.monotonic() - stopped
        if left == 0 or took > 4 * PATIENCE:
            break
    print(
        f"the last order settled {took:.1f} s after the killing stopped" if not left else f"{left} orders never settled"
    )
    verdict = subprocess.run([sys.executable, "-c", f"from scripts.chaos import count_up as go; go({orders})"])
    return verdict.returncode or int(left > 0 or took > PATIENCE)


def still_open() -> None:
    import django

    django.setup()
    from trading.models import Order

    print(Order.objects.open().filter(author__isnull=False).count())


def count_up(orders: int) -> None:
    """Every key made one order, every order filled once, the venue's book equals ours, and nothing else is amiss."""
    import django

    django.setup()
    from django.db.models import Count, F, Sum

    from portfolios.services.verification import differing_rows, verify_events
    from trading.brokers.models import PaperExecution
    from trading.invariants import broken_invariants
    from trading.models import Execution, Order

    ours = Order.objects.filter(author__isnull=False)
    facts = {
        "orders": ours.count(),
        "filled": ours.filter(status="filled").count(),
        "filled otherwise than ordered": ours.annotate(got=Sum("executions__quantity"))
        .exclude(got=F("quantity"))
        .count(),
        "executions booked twice": Execution.objects.values("broker_execution_id")
        .annotate(n=Count("pk"))
        .filter(n__gt=1)
        .count(),
        "fills we never booked": PaperExecution.objects.exclude(
            execution_id__in=Execution.objects.values("broker_execution_id")
        ).count(),
        "events that do not verify": len(verify_events().findings),
        "rows unlike their events": len(differing_rows()),
        "broken invariants": broken_invariants(),
    }
    print(json.dumps(facts, indent=1))
    good = facts["orders"] == facts["filled"] == orders and not any(list(facts.values())[2:])
    raise SystemExit(0 if good else 1)


def buy_and_sell(url: str, folder: str, orders: int) -> None:
    """Customers: each order under a key of its own, asked for again and again until there is an answer."""
    import django

    django.setup()
    from portfolios.models import User
    from portfolios.services.portfolios import create_portfolio
    from portfolios.services.tokens import create_token
    from trading.market.selectors import newest_quote
    from trading.services.opening import open_position

    secrets = []
    for number in range(CUSTOMERS):
        user = User.objects.create_user(f"customer{number}")
        portfolio = create_portfolio(owner=user, name="Chaos")
        token = create_token(user=user, name="chaos", scopes=["read", "trade"], days=1)[1]
        for _ in range(CELLS):
            cell = open_position(
                portfolio=portfolio,
                symbol="IBM",
                shares=100 * 10**6,
                cash=10**6 * 10**6,
                anchor=0,
                given_settings={"tau": "0.5", "auto_rebalance": False},
                author=user,
                actor="chaos",
            )
            secrets.append((token, str(cell.public_id)))
    assert newest_quote("IBM", "replay")
    numbers, lock = count(), threading.Lock()
    each = [threading.Thread(target=customer, args=(url, *secret, shared(numbers, lock, orders))) for secret in secrets]
    for thread in each:
        thread.start()
    for thread in each:
        thread.join()


def shared(numbers: Iterator[int], lock: threading.Lock, most: int) -> Iterator[int]:
    while True:
        with lock:
            number = next(numbers)
        if number >= most:
            return
        yield number


def customer(url: str, token: str, cell: str, numbers: Iterator[int]) -> None:
    for number in numbers:
        key = uuid.uuid4().hex
        body = {"side": "BUY" if number % 2 else "SELL", "qty": 1}
        if number % 50 == 0:
            print(f"{number} orders placed", flush=True)
        while True:
            status = ask(f"{url}/v1/positions/{cell}/orders", token, body, key)
            if status in (200, 201):
                break
            time.sleep(PATIENT if status else HASTY)  # the same key again


def ask(address: str, token: str, body: Any, key: str) -> int:
    """The status; 0 where no answer came."""
    import requests

    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
    try:
        answer = requests.post(address, json=body, headers=headers, timeout=5)
    except requests.RequestException:
        return 0
    return answer.status_code


if __name__ == "__main__":
    main()
