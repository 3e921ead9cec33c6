"""A process of a replica, as a Ray actor. Only this process needs PyTorch: who starts it does without."""

from dataclasses import dataclass

from .sampling import Sampling
from .settings import Settings


@dataclass(frozen=True)
class Feed:
    """What goes through the model next: a prompt, or the token that was chosen last. Token ids."""

    answer: str
    tokens: list[int]
    sampling: Sampling


@dataclass(frozen=True)
class ShardFacts:
    rank: int
    pid: int
    node: str
    parameter_bytes: int
    """Of this process alone."""
    shapes: dict[str, list[int]]
    """Of this process's parameters."""


class Shard:
    """Calls come one at a time."""

    def __init__(self, rank: int, settings: Settings) -> None:
        from .part import Part

        self._part = Part(rank, settings)

    def open_store(self) -> tuple[str, int]:
        return self._part.open_store()

    def load(self, host: str, port: int) -> ShardFacts:
        return self._part.load(host, port)

    def step(self, feeds: list[Feed], ended: list[str]) -> list[int]:
        return self._part.step(feeds, ended)

    def ping(self) -> None:
        """Says that the process lives."""
