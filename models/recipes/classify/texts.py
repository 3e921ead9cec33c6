"""Texts as token ids: tokenising, leaving words out, and batches of about equal length."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor


@dataclass(frozen=True)
class Texts:
    """Token ids (with special tokens) and label numbers of some texts, and what a teacher says of them.

    logits: [n, labels] and pooled: [n, teacher width], float32, or None without a teacher.
    """

    ids: list[list[int]]
    targets: np.ndarray
    logits: np.ndarray | None = field(default=None)
    pooled: np.ndarray | None = field(default=None)


def encode(folder: Path, texts: list[str], targets: list[int], tokens_max: int) -> Texts:
    """Tokenise with the folder's tokenizer.json; the cut keeps the special tokens."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(tokens_max)
    return Texts([found.ids for found in tokenizer.encode_batch(texts)], np.array(targets))


def without_some(texts: Texts, share: float, draw: np.random.Generator) -> Texts:
    """Leave out each inner token with this chance; first and last (special) tokens stay, and at least one inner one."""

    def thin(ids: list[int]) -> list[int]:
        kept = [i for i, chance in zip(ids[1:-1], draw.random(len(ids) - 2)) if chance >= share]
        return [ids[0], *kept, ids[-1]] if kept else ids

    return replace(texts, ids=[thin(ids) for ids in texts.ids])


def batches(texts: Texts, size: int, draw: np.random.Generator) -> list[np.ndarray]:
    """Row numbers of each batch: shuffled, but with rows of like length together, so that little is padded."""
    order, lengths = draw.permutation(len(texts.ids)), np.array([len(ids) for ids in texts.ids])
    made: list[np.ndarray] = []
    for at in range(0, len(order), size * 40):
        pool = order[at : at + size * 40]
        pool = pool[np.argsort(lengths[pool], kind="stable")]
        made += [pool[i : i + size] for i in range(0, len(pool), size)]
    return [made[i] for i in draw.permutation(len(made))]


def pack(ids: list[list[int]], pad: int = 0) -> tuple[Tensor, Tensor]:
    """ids int64 and mask float32, both [batch, longest row]."""
    longest = max(len(row) for row in ids)
    padded = torch.tensor([row + [pad] * (longest - len(row)) for row in ids])
    mask = torch.tensor([[1.0] * len(row) + [0.0] * (longest - len(row)) for row in ids])
    return padded, mask
