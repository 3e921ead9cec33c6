"""The static student: one vector a token, summed and brought to length 1. No attention, no order of words.

Starts as the teacher's answer to each token alone, projected to `dimensions` and weighted down for common tokens (smooth inverse
frequency); then the whole table learns the teacher's vectors of sentences.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from distill.agree import agreement, unit
from distill.corpus import Tokens
from distill.teacher import Teacher

SMOOTH = 1e-3


@dataclass(frozen=True)
class Settings:
    """How to train. `drop` is the share of tokens left out at random; `order_weight` what the similarities within a batch count."""

    epochs: int = 10
    batch: int = 1024
    rate: float = 2e-3
    drop: float = 0.1
    order_weight: float = 4.0
    seed: int = 1


def alone(teacher: Teacher, old_ids: list[int], work: Path) -> np.ndarray:
    """The teacher's unit vectors of the tokens `old_ids`, each between its start and end token; float32 [tokens, width]. Kept in `work`."""
    path = work / "tokens-alone.npy"
    if not path.is_file():
        empty = teacher.tokenizer.encode("", add_special_tokens=True).ids
        rows = Tokens([[*empty[:1], token, *empty[1:]] for token in range(teacher.model.config.vocab_size)])
        np.save(path, teacher.embed_rows(rows, np.arange(len(rows)), 256)[0])
    return np.load(path)[old_ids].astype(np.float32)


def projection(vectors: np.ndarray, dimensions: int) -> np.ndarray:
    """The [width, dimensions] turn that keeps most of the sentences' dot products: their first singular vectors, without centring."""
    wide = vectors.astype(np.float32)
    _, turned = np.linalg.eigh(wide.T @ wide)
    return np.ascontiguousarray(turned[:, ::-1][:, :dimensions])


def frequencies(tokens: Tokens, rows: np.ndarray, vocabulary: int) -> np.ndarray:
    """The share of each token in the text, float64 [vocabulary]."""
    counts = np.zeros(vocabulary, np.int64)
    for row in rows:
        np.add.at(counts, tokens.row(row), 1)
    return counts / counts.sum()


def first_table(vectors: np.ndarray, turn: np.ndarray, share: np.ndarray) -> np.ndarray:
    """The table [vocabulary, dimensions] to start from: what the tokens alone do not have in common, less of common tokens. Row 0, the pad, is zero."""
    table = (vectors - share.astype(np.float32) @ vectors) @ turn * (SMOOTH / (SMOOTH + share))[:, None]
    table[0] = 0
    return table.astype(np.float32)


def projected(vectors: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """The teacher's vectors [sentences, width] as unit vectors float32 [sentences, dimensions]."""
    return unit(vectors.astype(np.float32) @ turn)


class Bag(nn.Module):
    """A table [vocabulary, dimensions] whose rows are summed."""

    def __init__(self, table: np.ndarray) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.from_numpy(table.astype(np.float32)))

    def forward(self, flat: Tensor, starts: Tensor, weights: Tensor | None = None) -> Tensor:
        """All ids int64 [tokens] of a batch and where each sentence starts, int64 [sentences]; unit vectors [sentences, dimensions]."""
        return F.normalize(F.embedding_bag(flat, self.table, starts, mode="sum", per_sample_weights=weights), dim=1)


def flat_batch(tokens: Tokens, rows: np.ndarray) -> tuple[Tensor, Tensor]:
    """The ids of some sentences one after the other, and their starts."""
    lengths = tokens.lengths[rows]
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    return torch.from_numpy(np.concatenate([tokens.row(row) for row in rows]).astype(np.int64)), torch.from_numpy(starts)


def loss_of(vectors: Tensor, wanted: Tensor, order_weight: float) -> Tensor:
    """1 - cosine with the projected teacher, and how far the similarities within the batch are from the teacher's."""
    near = 1 - (vectors * wanted).sum(1).mean()
    order = F.mse_loss(vectors @ vectors.T, wanted @ wanted.T)
    return near + order_weight * order


@torch.inference_mode()
def embed(bag: Bag, tokens: Tokens, rows: np.ndarray) -> np.ndarray:
    """Unit vectors float32 [rows, dimensions]."""
    return bag(*flat_batch(tokens, rows)).numpy()


def fit(bag: Bag, tokens: Tokens, wanted: np.ndarray, teacher: np.ndarray, parts: tuple[np.ndarray, np.ndarray], settings: Settings) -> dict:
    """Train in place; `wanted` [sentences, dimensions] are projected unit vectors, `teacher` [sentences, width] the whole ones.

    `parts` are the rows to train on and the rows held out; what the held-out rows say after each tenth is printed, and returned at the end.
    """
    train, held_out = parts
    torch.manual_seed(settings.seed)
    draw, began = np.random.default_rng(settings.seed), time.monotonic()
    opt = torch.optim.Adam(bag.parameters(), lr=settings.rate)
    plan = torch.optim.lr_scheduler.OneCycleLR(opt, settings.rate, settings.epochs * -(-len(train) // settings.batch), pct_start=0.1)
    for epoch in range(settings.epochs):
        mixed = draw.permutation(train)
        for at in range(0, len(mixed), settings.batch):
            rows = mixed[at : at + settings.batch]
            flat, starts = flat_batch(tokens, rows)
            kept = (torch.rand(len(flat)) >= settings.drop).float()
            loss = loss_of(bag(flat, starts, kept), torch.from_numpy(wanted[rows]), settings.order_weight)
            opt.zero_grad(set_to_none=True)
            loss.backward()
            opt.step()
            plan.step()
        if (epoch + 1) % max(1, settings.epochs // 10) == 0:
            found = agreement(embed(bag, tokens, held_out), teacher[held_out])
            print(f"static: epoch {epoch + 1}, loss {loss.item():.4f}, held out {found}, {time.monotonic() - began:.0f} s", flush=True)
    return agreement(embed(bag, tokens, held_out), teacher[held_out])
