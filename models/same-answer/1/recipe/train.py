"""Fit the verifier to pairs. The weights kept are a moving average."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from classify.texts import Texts, pack
from families import Pair
from network import LABELS, TOKENS_MAX, Verifier

JOINT = " [SEP] "
EVERY = 250


@dataclass(frozen=True)
class Settings:
    """Hyper-parameters. `drawn`: pairs before the rules thin them; `wide_share`: of the training, before the layers are narrowed."""

    drawn: int = 200_000
    batch: int = 32
    wide_share: float = 0.6
    warm_steps: int = 100
    rate: float = 2e-4
    head_rate: float = 1.5e-3
    weight_decay: float = 0.01
    averaging: float = 0.99


def joined(pair: Pair) -> str:
    """The one text that the model is asked with."""
    return pair.a + JOINT + pair.b


def encode(tokenizer: Path, pairs: list[Pair]) -> Texts:
    """Token ids and labels."""
    made = Tokenizer.from_file(str(tokenizer))
    made.no_padding()
    made.enable_truncation(TOKENS_MAX)
    return Texts([found.ids for found in made.encode_batch([joined(pair) for pair in pairs])], np.array([int(pair.same) for pair in pairs]))


@torch.no_grad()
def logits_of(model: Verifier, texts: Texts, batch: int = 64) -> np.ndarray:
    """Logits [pairs, 2]."""
    model.eval()
    order = np.argsort([len(ids) for ids in texts.ids], kind="stable")
    found = [model(pack([texts.ids[i] for i in order[at : at + batch]])[0]).numpy() for at in range(0, len(order), batch)]
    return np.concatenate(found)[np.argsort(order, kind="stable")]


def groups(model: Verifier, settings: Settings) -> list[dict]:
    """The optimiser's two groups: the encoder, and what is new, with a higher rate."""
    new = [*model.classifier.parameters(), model.shared, model.toward]
    known = {id(parameter) for parameter in new}
    body = [parameter for parameter in model.parameters() if id(parameter) not in known and parameter.requires_grad]
    return [{"params": body, "lr": settings.rate}, {"params": new, "lr": settings.head_rate}]


def fit(model: Verifier, texts: Texts, order: list[np.ndarray], falling: bool, settings: Settings, seed: int, told: Callable[[Verifier], str]) -> Verifier:
    """Train on these batches, at a steady rate or at one that falls to nothing, without dropout: hardly a pair comes twice. `told` gets the averaged model now and then and returns a line to print."""
    torch.manual_seed(seed)
    averaged = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(settings.averaging))
    optimiser = torch.optim.AdamW(groups(model, settings), weight_decay=settings.weight_decay, fused=True)
    fall = lambda step: 0.5 + 0.5 * math.cos(math.pi * step / len(order)) if falling else 1.0
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: min(1.0, (step + 1) / settings.warm_steps) * fall(step))
    began, total = time.monotonic(), 0.0
    model.eval()
    for step, rows in enumerate(order, 1):
        loss = F.cross_entropy(model(pack([texts.ids[i] for i in rows])[0]), torch.from_numpy(texts.targets[rows]))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        averaged.update_parameters(model)
        total += loss.item()
        if step % EVERY == 0 or step == len(order):
            print(f"step {step} of {len(order)}, loss {total / EVERY:.4f}, {told(averaged.module)}, {time.monotonic() - began:.0f} s", flush=True)
            total = 0.0
            model.eval()
    return averaged.module
