"""The stages of `same-answer` 1. Each leaves its result in WORK and is skipped when that is there already."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

import clinc
import corpus
import pair_graph
import rules
import start
from classify import checkpoint
from classify.package import run_recipe, write_jsonl
from classify.score import calibration_error
from classify.texts import batches
from families import Pair
from judge import EMBEDDER
from narrow import narrowed
from network import LABELS, TOKENS_MAX, Verifier
from train import Settings, encode as encode_pairs, fit, joined, logits_of

INNER = 768
WEIGHED_BY = 3_000
DEV_PAIRS = 4_000
SETTINGS = Settings()


@dataclass(frozen=True)
class Inputs:
    """Where the outside parts lie: CLINC150, WordNet, and a Node.js that runs the gateway's rules."""

    data: Path
    wordnet: Path
    node: str


def drawn(inputs: Inputs, work: Path, seed: int) -> tuple[list[Pair], list[Pair]]:
    """The pairs to train on, and those to calibrate by."""
    work.mkdir(parents=True, exist_ok=True)
    paths = [work / "train.jsonl", work / "dev.jsonl"]
    if not all(path.is_file() for path in paths):
        families, slots = corpus.all_families(), corpus.all_slots(inputs.wordnet)
        corpus.assert_apart(families, slots)
        requests = clinc.requests(inputs.data)
        train = corpus.pairs(corpus.source(families, slots, requests, held_out=False), SETTINGS.drawn, seed)
        dev = corpus.pairs(corpus.source(families, slots, [], held_out=True), DEV_PAIRS, seed)
        for path, found in zip(paths, (rules.thinned(train, inputs.node, seed), dev)):
            path.write_text("".join(json.dumps(asdict(pair)) + "\n" for pair in found), encoding="utf-8")
    train, dev = ([Pair(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()] for path in paths)
    return train, dev


def base(work: Path) -> Path:
    """The checkpoint that training begins with."""
    out = work / "base"
    if not (out / "model.safetensors").is_file():
        start.begin(EMBEDDER, out)
    return out


def loaded(folder: Path) -> Verifier:
    """The checkpoint as a module."""
    return Verifier(*checkpoint.read(folder))


def caught(logits: np.ndarray, same: np.ndarray, target: float) -> tuple[float, float]:
    """The lowest margin (logit of `same` less logit of `different`) from which at most this share of the hits is false, and the share of `same` at or over it."""
    margin = logits[:, 1] - logits[:, 0]
    order = np.argsort(-margin)
    false = np.cumsum(~same[order]) / np.arange(1, len(order) + 1)
    fitting = np.flatnonzero(false <= target)
    if not len(fitting):
        return float("inf"), 0.0
    least = margin[order[fitting[-1]]]
    return float(least), float((same & (margin >= least)).sum() / same.sum())


def tuned(train: list[Pair], dev: list[Pair], source: Path, work: Path, seed: int) -> Path:
    """Trained on the pairs, and narrowed between the two parts of them; prints what the dev set says on the way."""
    out, partial = work / "tuned", work / "tuned.part"
    if not out.is_dir():
        texts, check = encode_pairs(source / "tokenizer.json", train), encode_pairs(source / "tokenizer.json", dev[:2000])

        def told(model: Verifier) -> str:
            checkpoint.write(partial, model.config, model.weights(), source)
            logits, same = logits_of(model, check), check.targets == 1
            right = ((logits.argmax(1) == 1) == same).mean()
            return f"dev accuracy {right:.4f}, of the same {caught(logits, same, 0.005)[1]:.3f} at 0.5 % false hits"

        wide, order = loaded(source), batches(texts, SETTINGS.batch, np.random.default_rng(seed))
        cut = round(len(order) * SETTINGS.wide_share)
        wide = fit(wide, texts, order[:cut], False, SETTINGS, seed, told)
        slim = Verifier(wide.config, narrowed(wide, texts.ids[:WEIGHED_BY], INNER))
        fit(slim, texts, order[cut:], True, SETTINGS, seed, told)
        partial.rename(out)
    return out


def plane(logits: np.ndarray, same: np.ndarray) -> tuple[float, float]:
    """Platt's calibration: slope and shift that bring the margin to the lowest log loss."""
    margin, wanted = torch.from_numpy(logits[:, 1] - logits[:, 0]).double(), torch.from_numpy(same).double()
    line = torch.tensor([1.0, 0.0], dtype=torch.double, requires_grad=True)
    optimiser = torch.optim.LBFGS([line], max_iter=100, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        found = F.binary_cross_entropy_with_logits(line[0] * margin + line[1], wanted)
        found.backward()
        return found

    optimiser.step(loss)
    return tuple(line.detach().tolist())


def calibrated(dev: list[Pair], source: Path, work: Path) -> tuple[Path, dict]:
    """The checkpoint with slope and shift, both fitted on the dev set, folded into its head."""
    out, check = work / "calibrated", encode_pairs(source / "tokenizer.json", dev)
    logits, same = logits_of(loaded(source), check), check.targets == 1
    slope, shift = plane(logits, same)
    config, weights = checkpoint.read(source)
    weights["classifier.weight"], weights["classifier.bias"] = weights["classifier.weight"] * slope, weights["classifier.bias"] * slope
    weights["classifier.bias"] = weights["classifier.bias"] + torch.tensor([-shift / 2, shift / 2])
    checkpoint.write(out, config, weights, source)
    moved = np.stack([np.zeros(len(same)), slope * (logits[:, 1] - logits[:, 0]) + shift], 1)
    errors = {name: round(calibration_error(found, check.targets), 4) for name, found in (("plain", logits), ("calibrated", moved))}
    return out, {"slope": round(slope, 4), "shift": round(shift, 4), "devEce": errors}


def quantised(train: list[Pair], source: Path, work: Path, out: Path) -> None:
    """The checkpoint as a float32 graph in WORK, and that graph through the recipe `quantize`."""
    plain = work / "plain.onnx"
    pair_graph.save(loaded(source).eval(), plain)
    write_jsonl(work / "calibrate.jsonl", [joined(pair) for pair in train[:400]], [int(pair.same) for pair in train[:400]], LABELS)
    run_recipe(
        "quantize", plain, out, "--scheme", "int8-static", "--exclude", *pair_graph.EXACT, "--calibrate", work / "calibrate.jsonl", "--samples", 400,
        "--tokenizer", source / "tokenizer.json", "--tokens-max", TOKENS_MAX,
    )
