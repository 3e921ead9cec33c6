"""Fine-tune an encoder on labelled texts, alone or after a teacher. The weights returned are a moving average."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from classify.encoder import Encoder
from classify.texts import Texts, batches, pack, without_some


@dataclass(frozen=True)
class Settings:
    """Hyper-parameters. Rates are the peaks of a one-cycle schedule over `epochs`; training ends after `stop_after` of them.

    `teacher_weight`, `temperature` and `pooled_weight` need a teacher. `views`: copies of the texts, each with other words left out.
    """

    epochs: int = 6
    stop_after: int = 0
    batch: int = 48
    rate: float = 1e-4
    head_rate: float = 1e-3
    weight_decay: float = 0.01
    word_dropout: float = 0.1
    label_smoothing: float = 0.1
    averaging: float = 0.998
    teacher_weight: float = 0.8
    temperature: float = 2.0
    pooled_weight: float = 1.0
    views: int = 8


@torch.no_grad()
def told(model: Encoder, texts: Texts, batch: int = 64) -> Texts:
    """The same texts with the model's logits and pooled vectors."""
    model.eval()
    order = np.argsort([len(ids) for ids in texts.ids], kind="stable")
    found: list[tuple[np.ndarray, np.ndarray]] = []
    for at in range(0, len(order), batch):
        pooled, logits = model(*pack([texts.ids[i] for i in order[at : at + batch]]))
        found.append((pooled.numpy(), logits.numpy()))
    back = np.argsort(order, kind="stable")
    pooled, logits = (np.concatenate(part)[back] for part in zip(*found))
    return replace(texts, logits=logits, pooled=pooled)


def views_of(texts: Texts, settings: Settings, seed: int) -> list[Texts]:
    """Copies of the texts: the first as they are, each other with some words left out. What a teacher said of the whole text stays."""
    draw = np.random.default_rng(seed)
    return [without_some(texts, settings.word_dropout if number else 0.0, draw) for number in range(settings.views)]


def loss_of(pooled: Tensor, logits: Tensor, view: Texts, rows: np.ndarray, settings: Settings) -> Tensor:
    """Cross entropy with the labels; with a teacher, mostly with its softened answers, and its pooled direction."""
    own = F.cross_entropy(logits, torch.from_numpy(view.targets[rows]), label_smoothing=settings.label_smoothing)
    if view.logits is None or view.pooled is None:
        return own
    heat = settings.temperature
    wanted = F.softmax(torch.from_numpy(view.logits[rows]) / heat, -1)
    taught = -(wanted * F.log_softmax(logits / heat, -1)).sum(-1).mean() * heat * heat
    apart = 1 - F.cosine_similarity(pooled, torch.from_numpy(view.pooled[rows]), dim=-1).mean()
    return (1 - settings.teacher_weight) * own + settings.teacher_weight * taught + settings.pooled_weight * apart


def groups(model: Encoder, settings: Settings) -> list[dict]:
    """The optimiser's two groups: the encoder, and the new head with a higher rate."""
    head = list(model.classifier.parameters())
    known = {id(parameter) for parameter in head}
    body = [parameter for parameter in model.parameters() if id(parameter) not in known]
    return [{"params": body, "lr": settings.rate}, {"params": head, "lr": settings.head_rate}]


def fit(model: Encoder, views: list[Texts], settings: Settings, seed: int, after_epoch: Callable[[Encoder], str]) -> Encoder:
    """Train; `after_epoch` gets the averaged model after each epoch and returns a line to print."""
    torch.manual_seed(seed)
    draw, began = np.random.default_rng(seed), time.monotonic()
    averaged = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(settings.averaging))
    optimiser = torch.optim.AdamW(groups(model, settings), weight_decay=settings.weight_decay, fused=True)
    steps = sum(len(batches(views[e % len(views)], settings.batch, np.random.default_rng(0))) for e in range(settings.epochs))
    peaks = [settings.rate, settings.head_rate]
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, peaks, total_steps=steps, pct_start=0.1)
    for epoch in range(settings.stop_after or settings.epochs):
        model.train()
        view, total = views[epoch % len(views)], 0.0
        for rows in batches(view, settings.batch, draw):
            pooled, logits = model(*pack([view.ids[i] for i in rows]))
            loss = loss_of(pooled, logits, view, rows, settings)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            averaged.update_parameters(model)
            total += loss.item() * len(rows)
        line = after_epoch(averaged.module)
        print(f"epoch {epoch + 1} of {settings.epochs} loss {total / len(view.ids):.4f} {line} {time.monotonic() - began:.0f} s", flush=True)
    return averaged.module
