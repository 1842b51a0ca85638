"""One run: a world that lives with faults, the calm after, and the count."""

import hashlib
from collections import Counter
from contextlib import ExitStack
from datetime import timedelta
from typing import Any, NamedTuple

import psycopg
from django.conf import settings
from django.db import connection

from portfolios.errors import Refused
from portfolios.models import Event, Position, User
from portfolios.services.positions import adjust, deposit
from trading import tasks
from trading.brokers.faulty import opened
from trading.invariants import statement
from trading.models import InboxMessage, Order
from trading.selectors import newest_traded_quotes, waiting_cells
from trading.services.ordering import cancel_order
from trading.services.quarantine import release_cell
from trading.simulation.replay import replay as replayed
from trading.torture.clock import seeded
from trading.torture.crashes import Violation, watched
from trading.torture.planting import Plant, planted
from trading.torture.post import Post
from trading.torture.replay import Replay
from trading.torture.venue_life import VenueLife
from trading.torture.world import ACTOR, World

SET_ASIDE = r"\w+ while (working|booking)"
UNFILLED_ENDS = ("cancelled", "expired", "rejected")
REPLAYED = 5  # of so many lives one is shown to the engine too
ALIVE_AFTER = 14  # rounds of calm within which everything must have come to its end


class Result(NamedTuple):
    """One run: what was broken (empty when nothing was), a digest of all it did, and what it went through."""

    seed: int
    broken: str
    digest: str
    passed: Counter[str]
    crashed: Counter[str]
    met: Counter[str]
    steps: list[str]


def play(seed: int, owner: User, judge: psycopg.Connection[Any], mutant: list[Plant] | None = None) -> Result:
    """Run one seed. `judge` is a connection of its own, which sees what was committed and nothing else."""
    run = Run(seed, owner, judge)
    broken = ""
    try:
        run.whole(mutant or [])
    except Violation as violation:
        broken = str(violation)
    except Exception as error:
        broken = f"{type(error).__name__}: {error}"
    return Result(seed, broken, run.digest(), run.points.passed, run.points.crashed, run.met, run.steps)


class Run(World):
    def whole(self, mutant: list[Plant]) -> None:
        """Everything is planted first, mistakes last: they are in the services, not in the world around them."""
        source = f"torture {self.seed}"
        world: list[Plant] = [
            *seeded(self.clock, self.seed),
            (settings, "BROKERS", {"faulty": "trading.brokers.faulty.FaultyBroker"}),
            (settings, "PRICE_SOURCES", {source: ""}),
            (tasks, "ring", self.bells.ring),
        ]
        with ExitStack() as stack:
            stack.enter_context(planted(*world))
            self.set_the_stage()
            self.venue = stack.enter_context(opened(source))
            self.post = Post(self.chance, self.clock.now)
            self.life = VenueLife(self.venue, self.post, self.market, self.chance)
            self.venue.meanwhile = self.meanwhile
            stack.callback(self.clear_the_stage)
            stack.enter_context(planted(*mutant))
            stack.enter_context(watched(connection, self.points, self.check))
            self.live()
            self.calm_down()

    def calm_down(self) -> None:
        """No more faults: everything must come to its end, and both books to the same figures."""
        self.points.left = 0
        self.bells.faulty = self.venue.silent = False
        self.life.calm = True
        self.venue.meanwhile = self.meanwhile
        self.clock.sleep(30)
        for number in range(ALIVE_AFTER):
            self.soothe(cancels=number > 2)
            if self.is_quiet():
                break
        else:
            raise Violation(f"not everything came to its end: {self.unfinished()}")
        self.compare()

    def soothe(self, *, cancels: bool) -> None:
        """A minute of beats: whatever was lost is found by the sweepers, or never."""
        self.arm()
        while self.post.letters:
            self.deliver()
        self.reconcile()
        self.market.wait(timedelta(minutes=1))
        for symbol in self.stage.symbols:
            self.market.quote(symbol, 0)
        self.feed_answers()
        if not cancels:
            self.due()
        self.life.new_price()
        self.sweep()
        for order_id in self.open_orders() if cancels else ():
            self.patiently(cancel_order, order_id=order_id, actor=ACTOR)
        rounds = 0
        while self.bells.waiting and rounds < 200:
            self.bells.answer()
            rounds += 1
        for cell in Position.objects.filter(pk__in=self.stage.cells, state="quarantined"):
            self.look_into(cell)

    def patiently(self, act: Any, **words: Any) -> None:
        try:
            act(**words)
        except Refused:
            self.met["refused in the calm"] += 1

    def look_into(self, cell: Position) -> None:
        """A person brings what is missing, and lets the robot go on."""
        if cell.cash < 0:
            self.patiently(deposit, position_id=cell.pk, amount=-cell.cash, market_at=self.market.at, actor=ACTOR)
        if cell.shares < 0:
            self.patiently(self.bring, cell=cell)
        self.patiently(release_cell, position_id=cell.pk, reason="looked", actor=ACTOR)

    def bring(self, cell: Position) -> None:
        adjust(position_id=cell.pk, d_shares=-cell.shares, d_cash=0, market_at=self.market.at, actor=ACTOR, reason="so")

    def is_quiet(self) -> bool:
        return not self.unfinished()

    def unfinished(self) -> str:
        rows = Order.objects.open().filter(position__in=self.stage.cells).values_list("side", "status", "origin")
        parts = [f"{side} {status} {origin}" for side, status, origin in rows]
        parts += [f"{len(self.bells.waiting)} bells"] if self.bells.waiting else []
        stuck = InboxMessage.objects.filter(account=self.stage.account, status="received").count()
        parts += [f"{stuck} messages"] if stuck else []
        states = Position.objects.filter(pk__in=self.stage.cells).values_list("state", flat=True)
        parts += [state for state in states if state == "quarantined"]
        parts += [f"cell {pk} waits" for pk in waiting_cells(newest_traded_quotes(self.market.source))]
        return ", ".join(parts)

    def compare(self) -> None:
        """The venue's book is ours, order by order; and the log alone gives us back."""
        self.check()
        told = Event.objects.filter(portfolio=self.stage.portfolio, type="quarantined", text__regex=SET_ASIDE)
        for event in told[:1]:
            raise Violation(f"a cell was set aside: {event.content['message']}")
        for name, placed in self.venue.book.items():
            ours = Order.objects.get(client_order_id=name)
            if placed.working:
                raise Violation(f"order {name} still works at the venue, ours is {ours.status}")
            if ours.status in UNFILLED_ENDS and placed.status not in UNFILLED_ENDS:
                raise Violation(f"order {name} is {placed.status} at the venue, ours is {ours.status}")
            if ours.filled_quantity != placed.filled:
                raise Violation(f"order {name}: the venue filled {placed.filled}, ours has {ours.filled_quantity}")
        outcome = self.stage.account.reconciliations.order_by("-pk").values_list("outcome", "found").first()
        if outcome and outcome[0] == "frozen":
            raise Violation(f"the account is frozen: {outcome[1]}")
        replay = Replay(self.stage.portfolio)
        for difference in replay.differences():
            raise Violation(difference)
        self.met["decision made again from the log"] += replay.decisions
        if self.seed % REPLAYED == 0:
            self.replay()

    def replay(self) -> None:
        """The engine of simulations, shown all that happened, comes to the same orders, fills and figures."""
        cells = Position.objects.select_related("portfolio__settings_version", "portfolio__account", "settings_version")
        for cell in cells.filter(pk__in=self.stage.cells):
            found = replayed(cell)
            if not found.is_equal:
                raise Violation(f"the engine differs from the log of {cell}: {found.difference or found.remains}")
            self.met["cell replayed by the engine"] += 1

    def check(self) -> None:
        """After every commit, seen from outside."""
        self.points.passed["invariants checked"] += 1
        broken = self.judge.execute(statement(), [[self.stage.portfolio.pk]], prepare=True).fetchall()
        if broken:
            subject, law, detail = broken[0]
            raise Violation(f"{subject}: {law} ({detail})")

    def digest(self) -> str:
        """The same for the same seed, wherever and whenever it ran."""
        heads = Position.objects.filter(pk__in=self.stage.cells).order_by("pk").values_list("event_hash", flat=True)
        return hashlib.sha256(repr((self.steps, list(heads))).encode()).hexdigest()[:16]
