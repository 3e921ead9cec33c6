"""How an answer's tokens are chosen."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Sampling:
    max_tokens: int
    end_tokens: frozenset[int]
    """Any of them ends the answer, and belongs to it."""
    temperature: float
    """0 takes the likeliest token."""
    top_p: float = 1.0
    top_k: int = 0
    """0 leaves all tokens in."""
    seed: int | None = None
    """The same seed gives the same answer; None a new one each time."""
