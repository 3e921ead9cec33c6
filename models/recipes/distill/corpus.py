"""The distillation text: read, mix, hold a part out, turn into token ids."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

SPAN_SHARE, JOIN_SHARE = 0.15, 0.08
SPAN_WORDS = (1, 8)
LINES_MIN = 20


class CorpusError(Exception):
    """The text can't be read. The message is for the user."""


def read_text(argument: str, draw: random.Random) -> list[str]:
    """The lines of `FILE`, or at most N of them, drawn at random, of `FILE=N`."""
    name, _, limit = argument.partition("=")
    path = Path(name)
    if not path.is_file():
        raise CorpusError(f"{name} is missing: --text takes files with one sentence a line; texts.py makes some.")
    if limit and not limit.isdigit():
        raise CorpusError(f"--text {argument}: behind = comes how many lines to take.")
    lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    return draw.sample(lines, min(int(limit), len(lines))) if limit else lines


def vary(lines: list[str], draw: random.Random) -> list[str]:
    """Replace a share of the lines by a span of their words, and a share by themselves and a neighbour.

    Why: a student that saw whole sentences only is poor on single words and on paragraphs.
    """
    made = []
    for at, line in enumerate(lines):
        chance, words = draw.random(), line.split()
        if chance < SPAN_SHARE and len(words) > SPAN_WORDS[0]:
            size = min(draw.randint(*SPAN_WORDS), len(words) - 1)
            start = draw.randrange(len(words) - size + 1)
            line = " ".join(words[start : start + size])
        elif chance > 1 - JOIN_SHARE:
            line = f"{line} {lines[at - 1]}"
        made.append(line)
    return made


def compose(texts: list[str], seed: int, rows_max: int | None = None) -> list[str]:
    """All texts in random order, varied, each line once. The same files and seed give the same list."""
    draw = random.Random(seed)
    lines = list(dict.fromkeys(line for text in texts for line in read_text(text, draw)))
    if len(lines) < LINES_MIN:
        raise CorpusError(f"The text has {len(lines)} different sentences; at least {LINES_MIN} are needed.")
    draw.shuffle(lines)
    return list(dict.fromkeys(vary(lines, draw)))[:rows_max]


class Tokens:
    """Token ids of many sentences, kept flat. `row(i)` is an int32 array [length]."""

    def __init__(self, rows: list[list[int]]) -> None:
        self.lengths = np.array([len(row) for row in rows], np.int64)
        self.ends = np.cumsum(self.lengths)
        self.flat = np.fromiter((i for row in rows for i in row), np.int32, int(self.lengths.sum()))

    def __len__(self) -> int:
        return len(self.lengths)

    def row(self, at: int) -> np.ndarray:
        """The ids of one sentence, int32 [length]."""
        return self.flat[self.ends[at] - self.lengths[at] : self.ends[at]]

    def padded(self, rows: np.ndarray, pad_id: int) -> np.ndarray:
        """The ids of some sentences, int64 [rows, longest], filled up with `pad_id`."""
        filled = np.full((len(rows), max(1, int(self.lengths[rows].max()))), pad_id, np.int64)
        for into, at in zip(filled, rows):
            into[: self.lengths[at]] = self.row(at)
        return filled


def tokenise(tokenizer: Tokenizer, lines: list[str], tokens_max: int, special: bool) -> Tokens:
    """Ids of every line, cut to `tokens_max`; with `special`, the tokens of the post-processor count and are kept."""
    tokenizer.no_padding()
    tokenizer.enable_truncation(tokens_max)
    rows: list[list[int]] = []
    for at in range(0, len(lines), 10_000):
        rows += [e.ids for e in tokenizer.encode_batch(lines[at : at + 10_000], add_special_tokens=special)]
    return Tokens(rows)


def by_length(tokens: Tokens, rows: np.ndarray, batch: int) -> list[np.ndarray]:
    """Cut `rows` into batches of sentences of about the same length, so that hardly anything is padding."""
    ordered = rows[np.argsort(tokens.lengths[rows], kind="stable")]
    return [ordered[at : at + batch] for at in range(0, len(ordered), batch)]
