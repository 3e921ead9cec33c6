"""CLINC150 as label numbers and hashed features, and batches with word dropout."""

from __future__ import annotations

import json
import os
import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from features import Hasher

SOURCE = "clinc150.json (CLINC150 with out-of-scope, data_full.json of clinc/oos-eval on GitHub, CC BY 3.0)"
OOS = "oos"
NOISE_COUNT = 60
NOISE_LETTERS = ("abcdefghijklmnopqrstuvwxyz", "0123456789", "àéîõüßçñøå", "абвгдежзик", "日本語漢字水火木金", "😀🎉🚀👍")
SPLITS = ("train", "val", "test", "oos_train", "oos_val", "oos_test")


@dataclass(frozen=True)
class Split:
    """One split: its texts, label numbers, and per text an array of (id, owner word)."""

    texts: list[str]
    targets: np.ndarray
    features: list[np.ndarray]


def load_raw(folder: str | None) -> dict[str, list[tuple[str, str]]]:
    """The file as it is published, or exit with one clear sentence."""
    chosen = folder or os.environ.get("LEDGE_DATA")
    path = Path(chosen or ".") / "clinc150.json"
    if not chosen or not path.is_file():
        raise SystemExit(f"Missing data: give --data DIR (or LEDGE_DATA) with {SOURCE}.")
    return json.loads(path.read_text(encoding="utf-8"))


def label_names(raw: dict[str, list[tuple[str, str]]]) -> list[str]:
    """The 150 intents in alphabetical order, then `oos`."""
    return sorted({label for _, label in raw["train"]}) + [OOS]


def load(raw: dict[str, list[tuple[str, str]]], hasher: Hasher) -> dict[str, Split]:
    """Every split, and the made-up noise, hashed."""
    number = {name: i for i, name in enumerate(label_names(raw))}
    splits = {}
    for name in SPLITS:
        texts = [text for text, _ in raw[name]]
        targets = np.array([number[label] for _, label in raw[name]])
        splits[name] = Split(texts, targets, [np.array(hasher.with_owners(t)) for t in texts])
    noise = noise_texts(NOISE_COUNT, seed=11)
    splits["noise"] = Split(noise, np.full(len(noise), number[OOS]), [np.array(hasher.with_owners(t)) for t in noise])
    return splits


def noise_texts(count: int, seed: int) -> list[str]:
    """Empty and meaningless texts of our own making, to be learned as `oos`."""
    draw, texts = random.Random(seed), []
    for _ in range(count):
        words = []
        for _ in range(draw.randint(0, 5)):
            letters = draw.choice(NOISE_LETTERS[:1] * 5 + NOISE_LETTERS)
            words.append("".join(draw.choice(letters) for _ in range(draw.randint(1, 8))))
        texts.append(" ".join(words))
    return texts


def drop(found: np.ndarray, words: float, features: float, draw: np.random.Generator) -> np.ndarray:
    """Leave out whole words (with all their features), then single features; never everything."""
    kept_words = draw.random(found[:, 1].max() + 1) >= words
    kept = kept_words[found[:, 1]] & (draw.random(len(found)) >= features)
    return found[kept] if kept.any() else found


def pack(features: list[np.ndarray]) -> tuple[Tensor, Tensor]:
    """Flat ids and row offsets, as `embedding_bag` takes them."""
    lengths = np.array([len(f) for f in features])
    flat = np.concatenate([f[:, 0] for f in features])
    return torch.from_numpy(flat), torch.from_numpy(np.concatenate([[0], lengths.cumsum()[:-1]]))
