"""Train the decoder from scratch and keep the weights with the lowest validation loss.

Each training window opens with `<|bos|>` at the start of a speech. In a part of the windows the
speakers are renamed User, Assistant, User, ... in turn, so that the two names of the chat
template are known to the model. Validation always uses the true names.
"""

from __future__ import annotations

import copy
import math
import random
import time

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from torch import Tensor

from corpus import ASSISTANT, BOS, USER, Speech, stream
from llama import Llama, Shape

WINDOW = 512
BATCH = 4
STEPS = 2400
WARMUP = 100
PEAK_RATE = 1.5e-3
LAST_RATE = 1e-4
DROPOUT = 0.15
RENAMED_SHARE = 0.35
EVAL_EVERY = 200


class Windows:
    """Draws training windows from the encoded speeches."""

    def __init__(self, tokenizer: Tokenizer, speeches: list[Speech], seed: int) -> None:
        encode = lambda s, name: tokenizer.encode(s.text(name), add_special_tokens=False).ids
        self.own = [encode(s, None) for s in speeches]
        self.roles = [[encode(s, name) for s in speeches] for name in (USER, ASSISTANT)]
        self.bos = tokenizer.token_to_id(BOS)
        self.draw = random.Random(seed)

    def one(self) -> list[int]:
        """One window of WINDOW + 1 ids."""
        at = self.draw.randrange(len(self.own) - 1)
        renamed = self.draw.random() < RENAMED_SHARE
        ids, turn = [self.bos], 0
        while len(ids) < WINDOW + 1:
            source = self.roles[turn % 2] if renamed else self.own
            ids += source[(at + turn) % len(self.own)]
            turn += 1
        return ids[: WINDOW + 1]

    def batch(self) -> Tensor:
        """BATCH windows as a tensor."""
        return torch.tensor([self.one() for _ in range(BATCH)])


def rate_at(step: int) -> float:
    """Linear warm-up, then a cosine down to LAST_RATE."""
    if step < WARMUP:
        return PEAK_RATE * (step + 1) / WARMUP
    share = (step - WARMUP) / (STEPS - WARMUP)
    return LAST_RATE + (PEAK_RATE - LAST_RATE) * 0.5 * (1 + math.cos(math.pi * share))


@torch.no_grad()
def total_nats(model: Llama, ids: list[int]) -> float:
    """Summed loss over a token stream, in separate windows of WINDOW tokens."""
    model.eval()
    total = 0.0
    for at in range(0, len(ids) - 1, WINDOW):
        piece = torch.tensor([ids[at : at + WINDOW + 1]])
        logits, _ = model(piece[:, :-1])
        total += F.cross_entropy(logits[0].float(), piece[0, 1:], reduction="sum").item()
    model.train()
    return total


def optimiser(model: Llama) -> torch.optim.AdamW:
    """AdamW with weight decay on matrices only."""
    matrices = [p for p in model.parameters() if p.dim() == 2]
    vectors = [p for p in model.parameters() if p.dim() < 2]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=PEAK_RATE, betas=(0.9, 0.95))


def fit(tokenizer: Tokenizer, train: list[Speech], val: list[Speech], seed: int) -> tuple[Llama, dict]:
    """Train and return the model with the lowest validation loss, and how it went."""
    torch.manual_seed(seed)
    model = Llama(Shape(vocab_size=tokenizer.get_vocab_size()), DROPOUT)
    windows, opt = Windows(tokenizer, train, seed), optimiser(model)
    held_out = stream(tokenizer, val)
    best, kept, began = {"loss": math.inf, "step": 0}, None, time.monotonic()
    for step in range(STEPS):
        for group in opt.param_groups:
            group["lr"] = rate_at(step)
        ids = windows.batch()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits, _ = model(ids[:, :-1])
        loss = F.cross_entropy(logits.float().flatten(0, 1), ids[:, 1:].flatten())
        opt.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        opt.step()
        if (step + 1) % EVAL_EVERY == 0 or step + 1 == STEPS:
            val_loss = total_nats(model, held_out) / (len(held_out) - 1)
            print(f"step {step + 1} train {loss.item():.3f} val {val_loss:.4f} {time.monotonic() - began:.0f} s", flush=True)
            if val_loss < best["loss"]:
                best, kept = {"loss": val_loss, "step": step + 1}, copy.deepcopy(model.state_dict())
    model.load_state_dict(kept)
    return model.eval(), {"steps": STEPS, "kept_step": best["step"], "seconds": round(time.monotonic() - began)}
