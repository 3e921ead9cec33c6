"""The training stages of `guard` 1. Each leaves a checkpoint folder in WORK and is skipped when that is there already."""

from __future__ import annotations

import random
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

import tweets
from classify import checkpoint, graph
from classify.encoder import Encoder
from classify.fit import Settings, fit, told, views_of
from classify.package import run_recipe, write_jsonl
from classify.score import calibration_error, f1_of, temperature
from classify.texts import encode

TOKENS_MAX = 48
PIECES = 8_000
KEPT_LAYERS = "0,1"
SETTINGS = Settings(epochs=3, batch=32, rate=2e-4, head_rate=2e-3, views=3, label_smoothing=0.0)
SECOND = Settings(epochs=1, batch=32, rate=1e-4, head_rate=5e-4, views=1, label_smoothing=0.0, averaging=0.99)
SECOND_SHARE = 0.5
SHIFTS = np.arange(0, 1.01, 0.05)

Parts = dict[str, list[tweets.Example]]


def columns(examples: list[tweets.Example]) -> tuple[list[str], list[int]]:
    """Texts and label numbers."""
    return [text for text, _ in examples], [label for _, label in examples]


def files(parts: Parts, work: Path) -> None:
    """The parts as files, for the recipes."""
    work.mkdir(parents=True, exist_ok=True)
    checkpoint.write_json(work / "labels.json", tweets.LABELS)
    for name in ("train", "val"):
        write_jsonl(work / f"{name}.jsonl", *columns(parts[name]), tweets.LABELS)
    (work / "corpus.txt").write_text("\n".join(columns(parts["train"])[0]) + "\n", encoding="utf-8")


def base(encoder: Path, work: Path) -> Path:
    """The pre-trained encoder with fewer pieces and its first layers only."""
    smaller, out = work / "smaller", work / "base"
    if not (out / "model.safetensors").is_file():
        run_recipe("prune", "vocabulary", encoder, smaller, "--keep", PIECES, "--corpus", work / "corpus.txt")
        run_recipe("prune", "layers", smaller, out, "--keep", KEPT_LAYERS)
    return out


def loaded(folder: Path) -> Encoder:
    """The checkpoint as a module."""
    config, weights = checkpoint.read(folder)
    return Encoder(config, weights, len(tweets.LABELS))


def tuned(parts: Parts, source: Path, work: Path, seed: int) -> Path:
    """Fine-tuned on the labels; prints what validation says after each epoch."""
    out = work / "tuned"
    if not out.is_dir():
        train, val = (encode(source, *columns(parts[name]), TOKENS_MAX) for name in ("train", "val"))
        partial = work / "tuned.part"

        def after_epoch(model: Encoder) -> str:
            checkpoint.write(partial, model.config, model.weights(), source)
            logits = told(model, val).logits
            return f"val F1 {f1_of(val.targets, logits.argmax(1), 3)[:, 2].round(3)}, calibration error {calibration_error(logits, val.targets):.4f}"

        torch.manual_seed(seed)
        fit(loaded(source), views_of(train, SETTINGS, seed + 2), SETTINGS, seed + 3, after_epoch)
        partial.rename(out)
    return out


def widened(parts: Parts, harmless: list[tweets.Example], source: Path, work: Path, seed: int) -> Path:
    """One more epoch over half of the tweets and as many harmless texts as given, so that ordinary sentences are known too."""
    out = work / "widened"
    if not out.is_dir():
        half = random.Random(seed).sample(parts["train"], round(SECOND_SHARE * len(parts["train"])))
        texts = encode(source, *columns(half + harmless), TOKENS_MAX)
        model = loaded(source)
        model = fit(model, views_of(texts, SECOND, seed + 2), SECOND, seed + 3, lambda _: "")
        checkpoint.write(out, model.config, model.weights(), source)
    return out


def choose_shift(logits: np.ndarray, targets: np.ndarray, shares: np.ndarray) -> float:
    """How far to lift rare labels: the power of the label's share, divided out, that gives validation the best mean F1."""
    means = [f1_of(targets, (logits - shift * np.log(shares)).argmax(1), len(shares))[:, 2].mean() for shift in SHIFTS]
    return round(float(SHIFTS[int(np.argmax(means))]), 2)


def adjusted(parts: Parts, source: Path, work: Path) -> tuple[Path, dict]:
    """The checkpoint with shift and temperature, both chosen on validation, folded into its head."""
    out, val = work / "adjusted", encode(source, *columns(parts["val"]), TOKENS_MAX)
    shares = np.bincount(columns(parts["train"])[1]) / len(parts["train"])
    logits = told(loaded(source), val).logits
    shift = choose_shift(logits, val.targets, shares)
    moved = logits - shift * np.log(shares)
    heat = temperature(moved, val.targets)
    config, weights = checkpoint.read(source)
    lift = torch.from_numpy(shift * np.log(shares)).float()
    weights["classifier.bias"] = (weights["classifier.bias"] - lift) / heat
    weights["classifier.weight"] = weights["classifier.weight"] / heat
    checkpoint.write(out, config, weights, source)
    spell = lambda value: round(calibration_error(value, val.targets), 4)
    return out, {"shift": shift, "temperature": heat, "validationEce": {"plain": spell(logits), "shifted": spell(moved), "shiftedAndScaled": spell(moved / heat)}}


def quantised(source: Path, work: Path, out: Path, *scheme: object) -> None:
    """The checkpoint as a float32 graph in WORK, and that graph through the recipe `quantize`."""
    plain = work / f"{source.name}.onnx"
    graph.save(loaded(source).eval(), TOKENS_MAX, plain)
    run_recipe(
        "quantize", plain, out, *scheme, "--calibrate", work / "train.jsonl", "--tokenizer", source / "tokenizer.json",
        "--eval", work / "val.jsonl", "--labels", work / "labels.json", "--tokens-max", TOKENS_MAX,
    )


def settings() -> dict:
    """What model.json says of the training."""
    return {"vocabulary": PIECES, "keptLayers": KEPT_LAYERS, "first": asdict(SETTINGS), "second": asdict(SECOND) | {"shareOfTweets": SECOND_SHARE}}
