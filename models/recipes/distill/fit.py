"""Train the transformer student to give the teacher's vectors, and on the way the teacher's token states."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from distill.agree import agreement
from distill.corpus import Tokens, by_length
from distill.student import Student

POOL_BATCHES = 64


@dataclass(frozen=True)
class Settings:
    """How to train. `states_weight` is what the token states count beside the sentence vector."""

    epochs: int = 2
    batch: int = 32
    rate: float = 3e-4
    warmup: float = 0.04
    states_weight: float = 0.5
    weight_decay: float = 0.01
    seed: int = 1
    save_every_s: float = 120.0


@dataclass
class Lesson:
    """Everything a step reads. `vectors` float16 [sentences, width]; `states` a list of shards float16 [tokens, width]."""

    tokens: Tokens
    vectors: np.ndarray
    states: list[np.ndarray]
    shard: int

    def states_at(self, rows: np.ndarray, length: int) -> tuple[Tensor, Tensor]:
        """The teacher's token states [rows, length, width], and bool [rows, length] where there are any."""
        found = np.zeros((len(rows), length, self.vectors.shape[1]), np.float16)
        sizes = self.tokens.lengths[rows]
        for at, (row, size) in enumerate(zip(rows, sizes)):
            first = row - row % self.shard
            start = int(self.tokens.ends[row] - size - (self.tokens.ends[first] - self.tokens.lengths[first]))
            found[at, :size] = self.states[row // self.shard][start : start + size]
        return torch.from_numpy(found).float(), torch.from_numpy(np.arange(length) < sizes[:, None])


def batches(tokens: Tokens, rows: np.ndarray, size: int, seed: int) -> list[np.ndarray]:
    """One epoch: batches of about one length each, in random order."""
    draw = np.random.default_rng(seed)
    mixed, pool_size = draw.permutation(rows), size * POOL_BATCHES
    made = [b for at in range(0, len(mixed), pool_size) for b in by_length(tokens, mixed[at : at + pool_size], size)]
    return [made[at] for at in draw.permutation(len(made))]


def loss_of(student: Student, lesson: Lesson, rows: np.ndarray, weight: float) -> Tensor:
    """1 - cosine with the teacher's vector, and the squared distance of the token states in units of their own size."""
    ids = torch.from_numpy(lesson.tokens.padded(rows, 0))
    vectors, states = student(ids)
    loss = 1 - (vectors * torch.from_numpy(lesson.vectors[rows]).float()).sum(1).mean()
    if weight:
        wanted, real = lesson.states_at(rows, ids.shape[1])
        loss = loss + weight * F.mse_loss(states[real], wanted[real]) / wanted[real].pow(2).mean()
    return loss


@torch.inference_mode()
def embed(student: Student, tokens: Tokens, rows: np.ndarray) -> np.ndarray:
    """Unit vectors float32 [rows, width] in the order of `rows`, which must be ascending."""
    found = np.empty((len(rows), student.shape.width), np.float32)
    for part in by_length(tokens, rows, 64):
        found[np.searchsorted(rows, part)] = student(torch.from_numpy(tokens.padded(part, 0)))[0].numpy()
    return found


def optimiser(student: Student, settings: Settings) -> torch.optim.AdamW:
    """AdamW; weight decay on matrices only. The two tables stay the teacher's: rare tokens would be left behind by the others."""
    for table in (student.table, student.positions):
        table.requires_grad_(False)
    learning = [p for p in student.parameters() if p.requires_grad]
    matrices, others = [p for p in learning if p.dim() == 2], [p for p in learning if p.dim() < 2]
    groups = [{"params": matrices, "weight_decay": settings.weight_decay}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=settings.rate, betas=(0.9, 0.98))


def rate_at(step: int, steps: int, settings: Settings) -> float:
    """Linear warm-up, then half a cosine down to a hundredth."""
    warm = max(1, int(steps * settings.warmup))
    if step < warm:
        return settings.rate * (step + 1) / warm
    return settings.rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm))))


def fit(student: Student, lesson: Lesson, train: np.ndarray, held_out: np.ndarray, settings: Settings, saved: Path) -> dict:
    """Train in place, saving to `saved` and going on from it when it is there; what the held-out rows say at the end."""
    opt, start = optimiser(student, settings), 0
    if saved.is_file():
        state = torch.load(saved)
        student.load_state_dict(state["student"])
        opt.load_state_dict(state["optimiser"])
        start = state["step"]
    plan = [rows for epoch in range(settings.epochs) for rows in batches(lesson.tokens, train, settings.batch, settings.seed + epoch)]
    began = last = time.monotonic()
    running = 0.0
    for step in range(start, len(plan)):
        for group in opt.param_groups:
            group["lr"] = rate_at(step, len(plan), settings)
        loss = loss_of(student.train(), lesson, plan[step], settings.states_weight)
        opt.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(student.parameters(), 1.0)
        opt.step()
        running = loss.item() if step == start else 0.98 * running + 0.02 * loss.item()
        if time.monotonic() - last > settings.save_every_s or step + 1 == len(plan):
            torch.save({"student": student.state_dict(), "optimiser": opt.state_dict(), "step": step + 1}, saved.with_suffix(".part"))
            saved.with_suffix(".part").replace(saved)
            found = agreement(embed(student.eval(), lesson.tokens, held_out), lesson.vectors[held_out])
            rate = (step + 1 - start) * settings.batch / (time.monotonic() - began)
            print(f"student: step {step + 1} of {len(plan)}, loss {running:.4f}, held out {found}, {rate:.0f} sentences a second", flush=True)
            last = time.monotonic()
    return agreement(embed(student.eval(), lesson.tokens, held_out), lesson.vectors[held_out])
