"""Train the classifier: a bag of hashed features, summed, scaled, and two dense layers.

Why this shape: one table look-up and two small products run in well under a millisecond in
WASM, and the scaling by the root mean square makes the length of the text not matter.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dataset import Split, drop, pack

EPSILON = 1e-6


@dataclass(frozen=True)
class Settings:
    """Hyper-parameters, chosen on the validation split."""

    width: int = 64
    hidden: int = 256
    dropout: float = 0.3
    word_dropout: float = 0.1
    feature_dropout: float = 0.2
    label_smoothing: float = 0.1
    rate: float = 3e-3
    weight_decay: float = 1e-2
    batch: int = 64
    epochs: int = 20
    oos_copies: int = 5
    averaging: float = 0.998


class Classifier(nn.Module):
    """Summed embeddings, root-mean-square scaling, one hidden layer."""

    def __init__(self, rows: int, labels: int, settings: Settings) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.randn(rows, settings.width) * 0.3)
        self.hidden = nn.Linear(settings.width, settings.hidden)
        self.output = nn.Linear(settings.hidden, labels)
        self.drop = nn.Dropout(settings.dropout)

    def forward(self, ids: Tensor, offsets: Tensor) -> Tensor:
        summed = F.embedding_bag(ids, self.table, offsets, mode="sum")
        scaled = summed * torch.rsqrt(summed.pow(2).mean(-1, keepdim=True) + EPSILON)
        return self.output(self.drop(F.relu(self.hidden(self.drop(scaled)))))


@torch.no_grad()
def logits_of(model: Classifier, split: Split) -> Tensor:
    """Logits of a whole split, without dropout."""
    model.eval()
    return model(*pack(split.features))


def fit(splits: dict[str, Split], rows: int, labels: int, settings: Settings, seed: int) -> Classifier:
    """Train with word and feature dropout; return the moving average of the weights."""
    torch.manual_seed(seed)
    draw, began = np.random.default_rng(seed), time.monotonic()
    model = Classifier(rows, labels, settings)
    averaged = torch.optim.swa_utils.AveragedModel(
        model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(settings.averaging)
    )
    used = [splits["train"], splits["noise"]] + [splits["oos_train"]] * settings.oos_copies
    features = [found for split in used for found in split.features]
    targets = torch.from_numpy(np.concatenate([split.targets for split in used]))
    optimiser = torch.optim.AdamW(model.parameters(), lr=settings.rate, weight_decay=settings.weight_decay)
    per_epoch = len(features) // settings.batch
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, settings.rate, total_steps=settings.epochs * per_epoch, pct_start=0.1
    )
    for epoch in range(settings.epochs):
        model.train()
        for rows_at in np.array_split(draw.permutation(len(features)), per_epoch):
            bag = [drop(features[i], settings.word_dropout, settings.feature_dropout, draw) for i in rows_at]
            loss = F.cross_entropy(model(*pack(bag)), targets[rows_at], label_smoothing=settings.label_smoothing)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            averaged.update_parameters(model)
        right = logits_of(averaged.module, splits["val"]).argmax(1).numpy() == splits["val"].targets
        print(f"epoch {epoch + 1} loss {loss.item():.3f} val {right.mean():.4f} {time.monotonic() - began:.0f} s", flush=True)
    return averaged.module
