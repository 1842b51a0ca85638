"""What people, the market, the broker and the queue do by chance, and a process that dies meanwhile."""

import json
from collections import Counter
from datetime import timedelta
from functools import partial
from random import Random
from typing import Any

import psycopg
from django.db import connection

from dividends.services.announcements import announce_dividend, announce_split, note_answers
from portfolios.domain.amounts import MICROS
from portfolios.errors import Refused
from portfolios.models import Position, User
from portfolios.services.positions import deposit, pause, resume, set_anchor, withdraw
from portfolios.services.settings import change_settings
from trading import tasks
from trading.brokers.faulty import Venue
from trading.domain.choices import Side
from trading.market.calendars import calendar_for
from trading.models import InboxMessage, Order
from trading.risk.models import Halt
from trading.services.halts import halt, rearm, write_halt
from trading.services.inbox import receive
from trading.services.ordering import cancel_order, place_order
from trading.services.proposals import approve_proposal
from trading.services.reconciliation import doubt
from trading.torture.bells import Bells
from trading.torture.clock import Clock
from trading.torture.crashes import Crash, Points, Violation, hang_up
from trading.torture.post import Post
from trading.torture.stage import NOWHERE, Market, set_up, settings_by
from trading.torture.venue_life import VenueLife

ACTOR = "user:torture"
CHANGES = (-60_000, -35_000, -31_000, -1_000, 0, 1_000, 31_000, 35_000, 60_000)
CRASH_RATE, CRASHES = 0.02, 3
STEPS = (9, 14)


class World:
    """One seed's world: its stage, its actors, and chance."""

    venue: Venue
    post: Post
    life: VenueLife
    market: Market

    def __init__(self, seed: int, owner: User, judge: psycopg.Connection[Any]) -> None:
        self.seed, self.owner, self.judge = seed, owner, judge
        self.chance = Random(f"torture {seed}")  # noqa: S311
        self.clock = Clock(seed)
        self.bells = Bells(self.chance)
        self.points = Points(self.chance, CRASH_RATE, CRASHES)
        self.met: Counter[str] = Counter()
        self.steps: list[str] = []
        self.inside = self.halted = False
        self.stage = NOWHERE

    def set_the_stage(self) -> None:
        self.stage = set_up(self.seed, self.owner, self.chance, self.clock.at)
        self.market = Market(self.stage.portfolio.source, self.stage.symbols)
        for symbol in self.stage.symbols:
            self.market.quote(symbol, 0)

    def clear_the_stage(self) -> None:
        """What still waits is of no concern to the next run: a proposal, a halt, a message."""
        for counts in (self.life.met, self.post.met, self.bells.met, self.venue.met):
            self.met.update(counts)
        Order.objects.filter(position__in=self.stage.cells, status="proposed").update(status="expired")
        Halt.objects.filter(rearmed_at=None).update(rearmed_at=self.clock.now())
        InboxMessage.objects.filter(account=self.stage.account, status__in=("received", "parked")).update(
            status="refused"
        )

    def live(self) -> None:
        self.step(self.company if self.stage.poor else self.move)
        for _ in range(self.chance.randint(*STEPS)):
            acts = self.acts()
            self.step(self.chance.choices(list(acts), list(acts.values()))[0])

    def acts(self) -> dict[Any, float]:
        """What can happen next, and how likely."""
        traded = bool(self.venue.book)
        return {
            self.move: 4,
            self.answer: 9 if self.bells.waiting else 0,
            self.venue_acts: 4 if traded else 0,
            self.deliver: 8 if self.post.letters else 0,
            self.cancel: 1.5 if traded else 0,
            self.dead_line: 3 if self.venue.silent else 0.3,
            self.arm: 2 if self.halted else 0,
            self.approve: 4 if self.stage.portfolio.approve_first else 0,
            self.order: 2.5,
            self.sweep: 1,
            self.cash: 1,
            self.company: 0.8,
            self.feed_answers: 0.8,
            self.reconcile: 0.6,
            self.stop: 1.2 if self.bells.waiting and not self.halted else 0.4,
            self.retune: 0.4,
            self.rest: 0.4,
            self.wait: 0.4,
        }

    def step(self, act: Any) -> None:
        name = act.__name__
        try:
            act()
        except Refused as refused:
            name += f" refused {refused.code}"
        except Crash as crash:
            name += f" died {crash}"
            self.start_again()
        self.steps.append(name)

    def start_again(self) -> None:
        """The process is gone with all it held; another one starts on the same database."""
        hang_up(connection)
        doubt(account_id=self.stage.account.pk)
        self.bells.ring(tasks.reconcile_account, account_id=self.stage.account.pk, why="start")

    def meanwhile(self, moment: str) -> None:
        """The line is open and no transaction may be: the process may die, and others go on."""
        if connection.in_atomic_block:
            raise Violation("the broker is asked inside a transaction")
        when = moment.partition(" ")[0]
        self.points.pass_by(f"{when} the network call")
        if when == "during" and not self.inside and not self.life.calm and self.chance.random() < 0.2:
            self.inside = True
            self.met["something happens during the call"] += 1
            self.venue.meanwhile = lambda moment: None
            try:
                self.chance.choice(
                    (self.venue_acts, self.venue_acts, self.deliver, self.answer, self.cancel, self.stop)
                )()
            except Refused:
                pass
            finally:
                self.inside = False
                self.venue.meanwhile = self.meanwhile

    def move(self) -> None:
        symbol = self.chance.choice(self.stage.symbols)
        self.market.wait(timedelta(minutes=self.chance.choice((1, 1, 5, 20))))
        quote = self.market.quote(symbol, self.chance.choice(CHANGES))
        self.life.new_price()
        tasks.ring_for([quote])

    def answer(self) -> None:
        for _ in range(self.chance.randint(1, 3)):
            if self.bells.waiting:
                self.bells.answer()

    def sweep(self) -> None:
        self.met["swept"] += 1
        tasks.ring_waiting()
        tasks.ring_inbox()

    def cell(self) -> int:
        return self.chance.choice(self.stage.cells)

    def order(self) -> None:
        position = Position.objects.get(pk=self.cell())
        price = self.market.prices[position.symbol]
        place_order(
            position_id=position.pk,
            side=self.chance.choice((Side.BUY, Side.SELL)),
            quantity=self.chance.choice((1, 5, 40)) * MICROS,
            limit=self.chance.choice((None, price, price * 99 // 100, price * 101 // 100)),
            author=self.owner,
            actor=ACTOR,
            key=str(len(self.steps)),
        )
        self.sweep()

    def open_orders(self) -> list[int]:
        orders = Order.objects.open().filter(position__in=self.stage.cells)
        return list(orders.order_by("pk").values_list("pk", flat=True))

    def cancel(self) -> None:
        for order_id in self.open_orders()[:1]:
            cancel_order(order_id=order_id, actor=ACTOR)
            self.bells.ring(tasks.execute_order, order_id=order_id)

    def cash(self) -> None:
        move = self.chance.choice((deposit, withdraw))
        amount = self.chance.choice((50, 2_000, 9_000)) * MICROS
        move(position_id=self.cell(), amount=amount, market_at=self.market.at, actor=ACTOR)

    def retune(self) -> None:
        change_settings(
            portfolio_id=self.stage.portfolio.pk,
            given=settings_by(self.chance),
            author=self.owner,
            note="",
            market_at=self.market.at,
        )

    def rest(self) -> None:
        act = self.chance.choice((pause, resume, partial(set_anchor, price=100 * MICROS)))
        act(position_id=self.cell(), market_at=self.market.at, actor=ACTOR, reason="so")

    def venue_acts(self) -> None:
        self.life.act()

    def deliver(self) -> None:
        for _ in range(2):
            if letter := self.post.draw():
                delivery_id, body = letter
                self.met["fill before its acknowledgement"] += self.is_early(body)
                try:
                    message, is_new = receive(
                        account_id=self.stage.account.pk,
                        channel=InboxMessage.Channel.WEBHOOK,
                        delivery_id=delivery_id,
                        body=body,
                    )
                except Crash:
                    self.post.letters.append(letter)  # it was not told that we have it
                    raise
                self.met["delivery" if is_new else "delivery once more"] += 1
                if is_new:
                    self.bells.ring(tasks.process_inbox, message_id=message.pk)

    def is_early(self, body: str) -> bool:
        """Whether it tells of a fill while we do not know yet that the order arrived."""
        told = json.loads(body)["data"] if '"client_order_id"' in body else {}
        if told.get("quantity", told.get("filled_quantity", "0")) == "0":
            return False
        return Order.objects.filter(client_order_id=told["client_order_id"], status__in=("sending", "unknown")).exists()

    def company(self) -> None:
        """Overnight a dividend or a split; both meet whatever is open."""
        symbol = self.chance.choice(self.stage.symbols)
        self.market.next_day()
        day = self.market.at.date()
        told: dict[str, Any] = {"source": self.market.source, "symbol": symbol, "ex_date": day}
        when = "in flight" if self.open_orders() else "at rest"
        if self.stage.poor or self.chance.random() < 0.5:
            self.met[f"dividend {when}"] += 1
            dps = 5 * MICROS if self.stage.poor else MICROS // 2
            announce_dividend(**told, dps=dps, pay_date=day + timedelta(days=self.chance.choice((0, 3))))
            self.market.prices[symbol] = max(self.market.prices[symbol] - dps, MICROS)  # as it falls for all
        else:
            self.met[f"split {when}"] += 1
            numerator, denominator = self.chance.choice(((2, 1), (3, 2), (1, 7)))
            announce_split(**told, numerator=numerator, denominator=denominator)
            self.market.prices[symbol] = self.market.prices[symbol] * denominator // numerator
        self.due()
        self.venue.expire(self.market.at)

    def feed_answers(self) -> None:
        """There are no other corporate actions today: a gap overnight is a price like any other."""
        day = calendar_for().market_day(self.market.at)
        note_answers(source=self.market.source, symbols=self.stage.symbols, day=day, by="feed:torture")

    def due(self) -> None:
        tasks.check_dividends()
        tasks.pay_dividends()
        tasks.expire_proposals()

    def stop(self) -> None:
        scope = self.chance.choice(("global", "portfolio", "account", "position"))
        target = {
            "global": None,
            "portfolio": self.stage.portfolio.pk,
            "account": self.stage.account.pk,
            "position": self.cell(),
        }[scope]
        self.met["halt"] += 1
        self.halted = True
        told: dict[str, Any] = {"scope": scope, "target_id": target, "reason": "so", "actor": ACTOR}
        told["cancels"] = self.chance.random() < 0.5
        if self.chance.random() < 0.5:
            self.met["who halted died before orders were cleared"] += 1
            write_halt(**told)
        else:
            tasks.ring_for_halt(halt(**told))
        self.clock.sleep(self.chance.choice((0.0, 2.0, 2.0)))

    def arm(self) -> None:
        self.halted = False
        for known in Halt.objects.in_force().order_by("pk"):
            rearm(halt_id=known.pk, reason="so", actor=ACTOR)

    def reconcile(self) -> None:
        self.met["reconciled"] += 1
        tasks.reconcile_account.run(account_id=self.stage.account.pk, why="beat")

    def dead_line(self) -> None:
        self.venue.silent = not self.venue.silent
        self.met["line dead" if self.venue.silent else "line back"] += 1

    def wait(self) -> None:
        self.clock.sleep(self.chance.choice((1.0, 6.0, 6.0, 400.0)))

    def approve(self) -> None:
        proposed = Order.objects.filter(position__in=self.stage.cells, status="proposed").order_by("pk")
        for order in proposed[:1]:
            approve_proposal(order_id=order.pk, actor=ACTOR)
            self.bells.ring(tasks.execute_order, order_id=order.pk)
