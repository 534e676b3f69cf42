"""Chance with a seed, and words that differ between the part one looks at and the part one does not."""

import random
from collections.abc import Sequence
from enum import StrEnum
from typing import TypeVar

T = TypeVar("T")


class Part(StrEnum):
    seen = "seen"
    """Looked at while the engine is worked on; calibration is fitted on it."""
    unseen = "unseen"
    """Only ever counted."""


class Dice:
    """The same draws for the same key on every machine."""

    def __init__(self, key: str, part: Part) -> None:
        self._chance = random.Random(key)  # noqa: S311  # worlds that can be made again
        self._part = part
        self.seed = self._chance.randrange(1, 2**31)

    def between(self, low: float, high: float) -> float:
        return self._chance.uniform(low, high)

    def whole(self, low: int, high: int) -> int:
        return self._chance.randint(low, high)

    def any(self, options: Sequence[T]) -> T:
        return self._chance.choice(options)

    def some(self, options: Sequence[T], number: int) -> list[T]:
        return self._chance.sample(list(options), number)

    def likely(self, chance: float) -> bool:
        return self._chance.random() < chance

    def word(self, pool: Sequence[T]) -> T:
        """One of the pool's half that belongs to this part: no wording is ever in both."""
        return self.any(self.half(pool))

    def half(self, pool: Sequence[T]) -> Sequence[T]:
        if len(pool) < 2:
            raise ValueError("a pool of words has to be shared between two parts")
        return pool[0::2] if self._part is Part.seen else pool[1::2]
