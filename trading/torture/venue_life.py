"""What becomes of orders at the venue: whole, in parts, never, late, too much, and put right afterwards."""

from collections import Counter
from random import Random

from portfolios.domain.amounts import PPM
from trading.brokers.base import Fill
from trading.brokers.faulty import Fault, Placed, Venue
from trading.domain.choices import Side
from trading.domain.costs import OURS
from trading.torture.post import Post
from trading.torture.stage import Market

FAULTS = [fault for fault in Fault if fault is not Fault.NONE]
LOSES, FAULTY, SLOW, TOLD = 0.08, 0.25, 0.6, 0.8


class VenueLife:
    """The venue's own doings, by chance; calm, it fills what it can and answers what it is asked."""

    def __init__(self, venue: Venue, post: Post, market: Market, chance: Random) -> None:
        self.venue = venue
        self.post = post
        self.market = market
        self.chance = chance
        self.calm = False
        self.names_fees = chance.random() < 0.3
        self.met: Counter[str] = Counter()
        venue.arrived = self.arrives
        venue.fault = self.fault  # type: ignore[method-assign]

    def fault(self, question: str) -> Fault:
        """A venue that tells totals is slow to name executions; what is sent meets the worst of the line."""
        luck = 1.0 if self.calm else self.chance.random()
        if question == "submit" and luck < LOSES:
            return Fault.LOST_ANSWER
        if self.post.dialect == "totals" and luck < SLOW and question in ("submit", "find"):
            return Fault.WITHHELD
        return self.chance.choice(FAULTS) if luck < FAULTY else Fault.NONE

    def arrives(self, placed: Placed) -> None:
        """Whole, in part, or not at all yet; where totals are told there is always more than one."""
        luck = 0.0 if self.calm else self.chance.random()
        if luck and self.post.dialect == "totals":
            luck = 0.5
        if luck < 0.3:
            self.fill(placed, placed.left)
        elif luck < 0.65:
            self.fill(placed, max(placed.left // 3, 1))
            self.met["partial fill"] += 1

    def new_price(self) -> None:
        """Orders that rest meet the market."""
        self.venue.expire(self.market.at)
        for placed in list(self.venue.book.values()):
            if placed.working and (self.calm or self.chance.random() < 0.6):
                part = placed.left if self.calm or self.chance.random() < 0.4 else max(placed.left // 2, 1)
                self.fill(placed, part)

    def fill(self, placed: Placed, quantity: int) -> None:
        price = self.price_for(placed)
        if price:
            fee = max(quantity * price // PPM // 10_000, 1) if self.names_fees else OURS
            self.tell(placed, self.venue.trade(placed, quantity, price, self.market.at, fee))

    def price_for(self, placed: Placed) -> int:
        """0 while its limit is not met."""
        request = placed.request
        now = self.market.prices[request.symbol]
        if not request.limit_price:
            return now
        met = now <= request.limit_price if request.side == Side.BUY else now >= request.limit_price
        return now if met else 0

    def tell(self, placed: Placed, fill: Fill) -> None:
        if self.chance.random() < TOLD or self.post.dialect == "totals":
            self.post.tell_of(placed, fill)
        if self.chance.random() < TOLD:
            self.post.tell_state(placed)

    def act(self) -> None:
        """Something happens to one of its orders."""
        if not self.venue.book:
            return
        placed = self.chance.choice(list(self.venue.book.values()))
        late = not placed.working and placed.left > 0 and placed.status != "rejected"
        deeds = {
            self.trade_more: 9 if late else 2,
            self.put_right: 4 if placed.standing else 0,
            self.end: 3 if placed.working else 0,
            self.babble: 1,
        }
        (deed,) = self.chance.choices(list(deeds), list(deeds.values()))
        deed(placed)

    def trade_more(self, placed: Placed) -> None:
        """A part where it is open, a late part where it is over, sometimes more than was ordered."""
        if placed.status == "rejected":
            return
        too_much = self.chance.random() < 0.08
        quantity = max(placed.left, 0) + 1_000_000 if too_much else max(placed.left // 2, 1)
        if quantity > placed.left and not too_much:
            return
        self.met["overfill" if too_much else "partial fill" if placed.working else "late fill"] += 1
        price = self.price_for(placed)
        if price:
            self.fill(placed, quantity)

    def put_right(self, placed: Placed) -> None:
        """It takes a fill back, or corrects its quantity or price. Totals have no words for that."""
        if not placed.standing or self.post.dialect != "executions":
            return
        wrong = self.chance.choice(placed.standing)
        kind = self.chance.choice(("bust", "price", "quantity"))
        quantity = {"bust": 0, "price": wrong.quantity, "quantity": max(wrong.quantity // 2, 1)}[kind]
        price = wrong.price * 99 // 100 if kind == "price" else wrong.price
        self.met[f"correction of {kind}" if quantity else "bust"] += 1
        self.tell(placed, self.venue.correct(placed, wrong, quantity, price if quantity else 0, self.market.at))

    def end(self, placed: Placed) -> None:
        if placed.working:
            status = self.chance.choice(("cancelled", "expired", "rejected"))
            self.met[f"{status} by the venue"] += 1
            self.venue.end(placed, status)
            self.post.tell_state(placed)

    def babble(self, placed: Placed) -> None:
        self.met["nonsense"] += 1
        self.post.tell_nonsense(placed)
