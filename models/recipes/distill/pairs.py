"""An evaluation set of scored sentence pairs, and how models do on it. For reporting; nothing is trained or chosen on it."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime as ort
from tokenizers import Tokenizer

from distill.agree import spearman, unit
from distill.corpus import by_length, tokenise

DRAWS, ALL = 2000, "all"


class PairsError(Exception):
    """The evaluation set can't be read. The message is for the user."""


@dataclass(frozen=True)
class Pairs:
    """Pairs of sentences: which set each belongs to, what people said (higher is more alike), and the two texts."""

    sets: np.ndarray
    scores: np.ndarray
    left: list[str]
    right: list[str]

    def parts(self) -> dict[str, np.ndarray]:
        """The rows of each set, and of all of them."""
        names = sorted(set(self.sets.tolist()))
        named = {name: np.flatnonzero(self.sets == name) for name in names} if len(names) > 1 else {}
        return named | {ALL: np.arange(len(self.scores))}


def read_pairs(path: Path) -> Pairs:
    """A file with tabs: score, sentence, sentence; or the set's name before them."""
    if not path.is_file():
        raise PairsError(f"{path} is missing: --eval takes a file of score, sentence and sentence with tabs between.")
    with path.open(encoding="utf-8", newline="") as lines:
        rows = [row for row in csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE) if row]
    try:
        whole = [[ALL, *row] if len(row) == 3 else row for row in rows]
        scores = np.array([float(row[1]) for row in whole])
        return Pairs(np.array([row[0] for row in whole]), scores, [row[2] for row in whole], [row[3] for row in whole])
    except (ValueError, IndexError):
        raise PairsError(f"{path} should hold score, sentence and sentence with tabs between, on every line.") from None


def embeddings(session: ort.InferenceSession, tokenizer: Tokenizer, texts: list[str], tokens_max: int, special: bool) -> np.ndarray:
    """The graph's unit vectors float32 [texts, dimensions], in batches of about one length."""
    tokens = tokenise(tokenizer, texts, tokens_max, special)
    found: dict[int, np.ndarray] = {}
    for rows in by_length(tokens, np.arange(len(texts)), 32):
        made = session.run(None, {"input_ids": tokens.padded(rows, 0).astype(np.int32)})[0]
        found |= dict(zip(rows.tolist(), made))
    return np.stack([found[at] for at in range(len(texts))])


def similarities(session: ort.InferenceSession, tokenizer: Tokenizer, pairs: Pairs, tokens_max: int, special: bool) -> np.ndarray:
    """Cosine of each pair, float32 [pairs]."""
    left, right = (unit(embeddings(session, tokenizer, texts, tokens_max, special)) for texts in (pairs.left, pairs.right))
    return (left * right).sum(1)


def against(teacher: np.ndarray, student: np.ndarray, pairs: Pairs) -> dict[str, dict]:
    """For each set: Spearman with the people's scores of teacher and student, and their ratio with its 95 % bootstrap interval.

    Both models are judged on the same drawn pairs, so the interval is that of the ratio, not of two separate numbers.
    """
    found = {}
    for name, rows in pairs.parts().items():
        draw = np.random.default_rng(0)
        samples = [rows[draw.integers(0, len(rows), len(rows))] for _ in range(DRAWS)]
        pair = lambda at: (spearman(teacher[at], pairs.scores[at]), spearman(student[at], pairs.scores[at]))
        drawn = np.array([pair(at) for at in samples])
        own, made = pair(rows)
        interval = lambda values: [round(float(v), 4) for v in np.percentile(values, [2.5, 97.5])]
        found[name] = {
            "n": len(rows), "teacher": round(own, 4), "spearman": round(made, 4), "spearmanCi95": interval(drawn[:, 1]),
            "ratio": round(made / own, 4), "ratioCi95": interval(drawn[:, 1] / drawn[:, 0]),
        }  # fmt: skip
    return found
