"""The queue between services: it loses bells, rings them twice, and answers them in any order."""

from collections import Counter
from random import Random
from typing import Any

LOST, DOUBLED = 0.06, 0.12


class Bells:
    def __init__(self, chance: Random) -> None:
        self.chance = chance
        self.waiting: list[tuple[Any, dict[str, int | str]]] = []
        self.faulty = True
        self.met: Counter[str] = Counter()

    def ring(self, bell: Any, **keys: int | str) -> bool:
        """In the place of `trading.tasks.ring`."""
        luck = self.chance.random() if self.faulty else 1.0
        if luck < LOST:
            self.met["bell lost"] += 1
            return luck < LOST / 2  # a queue that is down says so, one that is emptied does not
        self.waiting.append((bell, keys))
        if luck < LOST + DOUBLED:
            self.met["bell rung twice"] += 1
            self.waiting.append((bell, keys))
        return True

    def answer(self) -> None:
        """Whichever comes first."""
        bell, keys = self.waiting.pop(self.chance.randrange(len(self.waiting)))
        bell.run(**keys)
