"""Check the exported graph against PyTorch and measure loss and speed of what is shipped."""

from __future__ import annotations

import math
import time
from pathlib import Path

import numpy as np
import onnxruntime as ort
import torch

from corpus import Speech, source_bytes, stream
from llama import Llama, Shape
from train import WINDOW, total_nats


class Runner:
    """An ONNX decoder with its cache, driven as transformers.js drives it."""

    def __init__(self, path: Path, shape: Shape, threads: int) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self.shape = shape
        self.outputs = [o.name for o in self.session.get_outputs()]

    def empty(self, batch: int) -> dict[str, np.ndarray]:
        """A cache with nothing in it."""
        sizes = (batch, self.shape.num_key_value_heads, 0, self.shape.head_dim)
        names = [n for n in self.outputs if n.startswith("present")]
        return {n.replace("present", "past_key_values"): np.zeros(sizes, np.float32) for n in names}

    def step(self, ids: np.ndarray, mask: np.ndarray, past: dict[str, np.ndarray]):
        """Logits for the new ids, and the cache after them."""
        positions = np.maximum(mask.cumsum(axis=1) - 1, 0)[:, -ids.shape[1] :]
        feeds = {"input_ids": ids, "attention_mask": mask, "position_ids": positions} | past
        found = dict(zip(self.outputs, self.session.run(None, feeds)))
        logits = found.pop("logits")
        return logits, {n.replace("present", "past_key_values"): v for n, v in found.items()}


def three_ways(runner: Runner, ids: list[int]) -> dict[str, np.ndarray]:
    """Logits of one text: in one call, with the cache token by token, and left-padded in a batch."""
    row = np.array([ids], np.int64)
    ones, half = np.ones_like(row), len(ids) // 2
    whole, _ = runner.step(row, ones, runner.empty(1))
    logits, past = runner.step(row[:, :half], ones[:, :half], runner.empty(1))
    steps = [logits]
    for at in range(half, len(ids)):
        logits, past = runner.step(row[:, at : at + 1], ones[:, : at + 1], past)
        steps.append(logits)
    gap = [0] * half
    batch = np.array([ids + ids[:half], gap + ids], np.int64)
    mask = np.array([[1] * (len(ids) + half), gap + [1] * len(ids)], np.int64)
    padded, _ = runner.step(batch, mask, runner.empty(2))
    return {"whole": whole[0], "withCache": np.concatenate(steps, axis=1)[0], "leftPaddedInBatch": padded[1, half:]}


def graph_difference(runner: Runner, model: Llama, ids: list[int]) -> dict[str, float]:
    """Largest logit difference between the graph and PyTorch, in each of the three ways."""
    with torch.no_grad():
        right = model(torch.tensor([ids]))[0][0].numpy()
    return {name: float(np.abs(found - right).max()) for name, found in three_ways(runner, ids).items()}


def self_difference(runner: Runner, ids: list[int]) -> dict[str, float]:
    """Largest logit difference of the graph to itself when the same text is run in another way."""
    found = three_ways(runner, ids)
    whole = found.pop("whole")
    return {name: float(np.abs(other - whole).max()) for name, other in found.items()}


def onnx_nats(runner: Runner, ids: list[int]) -> list[float]:
    """Summed loss of each window of a token stream, cut as in `train.total_nats`."""
    windows = []
    for at in range(0, len(ids) - 1, WINDOW):
        piece = np.array([ids[at : at + WINDOW + 1]], np.int64)
        logits, _ = runner.step(piece[:, :-1], np.ones_like(piece[:, :-1]), runner.empty(1))
        right = torch.from_numpy(piece[0, 1:])
        windows.append(torch.nn.functional.cross_entropy(torch.from_numpy(logits[0]), right, reduction="sum").item())
    return windows


def perplexity_interval(windows: list[float], ids: list[int]) -> list[float]:
    """95 % bootstrap interval of the perplexity, by drawing whole windows."""
    sizes = np.array([min(WINDOW, len(ids) - 1 - at) for at in range(0, len(ids) - 1, WINDOW)])
    picks = np.random.default_rng(0).integers(0, len(sizes), (5000, len(sizes)))
    found = np.exp(np.array(windows)[picks].sum(1) / sizes[picks].sum(1))
    return [round(float(v), 2) for v in np.quantile(found, [0.025, 0.975])]


def rates(nats: float, ids: list[int], speeches: list[Speech]) -> dict[str, float]:
    """Perplexity per token and bits per byte of the source text."""
    return {
        "perplexityPerToken": round(math.exp(nats / (len(ids) - 1)), 3),
        "bitsPerByte": round(nats / math.log(2) / source_bytes(speeches), 4),
    }


def losses(models: dict[str, Llama], runner: Runner, tokenizer, parts: dict[str, list[Speech]]) -> dict:
    """Losses of every form of the weights on both held-out parts."""
    found: dict = {}
    for part in ("val", "test"):
        ids = stream(tokenizer, parts[part])
        windows = onnx_nats(runner, ids)
        nats = {name: total_nats(model, ids) for name, model in models.items()} | {"int8Onnx": sum(windows)}
        found[part] = {
            "tokens": len(ids) - 1,
            "bytes": source_bytes(parts[part]),
            "int8PerplexityCi95": perplexity_interval(windows, ids),
            **{name: rates(value, ids, parts[part]) for name, value in nats.items()},
        }
    return found


def tokens_per_second(runner: Runner, prompt: list[int], count: int = 200) -> float:
    """Greedy decoding speed with the cache, one sequence."""
    ids, mask = np.array([prompt], np.int64), np.ones((1, len(prompt)), np.int64)
    logits, past = runner.step(ids, mask, runner.empty(1))
    began = time.perf_counter()
    for _ in range(count):
        mask = np.concatenate([mask, [[1]]], axis=1)
        logits, past = runner.step(logits[:, -1:].argmax(-1), mask, past)
    return round(count / (time.perf_counter() - began), 1)
