"""The training stages of `intent` 2. Each leaves a checkpoint folder in WORK and is skipped when that is there already."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch

import clinc
from classify import checkpoint, graph
from classify.encoder import Encoder
from classify.fit import Settings, fit, told, views_of
from classify.package import run_recipe, write_jsonl
from classify.score import decide
from classify.texts import Texts, encode

TOKENS_MAX = 64
PIECES = 12_000
NOISY = 60
KEPT_LAYERS = "0,1,5"
TEACHER = Settings(epochs=4, stop_after=2, batch=32, rate=2e-4, head_rate=3e-3, views=4)
STUDENT = Settings(epochs=5, batch=48, rate=3e-4, head_rate=6e-4, views=5, teacher_weight=0.7)


def files(raw: clinc.Raw, work: Path) -> None:
    """The splits as files, for the recipes."""
    names = clinc.label_names(raw)
    work.mkdir(parents=True, exist_ok=True)
    checkpoint.write_json(work / "labels.json", names)
    for name in ("train", "val"):
        texts, targets = clinc.part(raw, name)
        write_jsonl(work / f"{name}.jsonl", texts, targets, names)
    (work / "corpus.txt").write_text("\n".join(clinc.part(raw, "train", "oos_train")[0]) + "\n", encoding="utf-8")


def base(teacher: Path, work: Path) -> Path:
    """The pre-trained encoder with a smaller vocabulary, and without the pooler that nobody uses."""
    out = work / "base"
    if not (out / "model.safetensors").is_file():
        run_recipe("prune", "vocabulary", teacher, out, "--keep", PIECES, "--corpus", work / "corpus.txt")
    return out


def loaded(folder: Path, labels: int) -> Encoder:
    """The checkpoint as a module."""
    config, weights = checkpoint.read(folder)
    return Encoder(config, weights, labels)


class Scorer:
    """Prints validation accuracy in scope and recall out of scope after each epoch, and keeps the weights."""

    def __init__(self, raw: clinc.Raw, source: Path, out: Path) -> None:
        self.source, self.out, self.oos = source, out, len(clinc.label_names(raw)) - 1
        self.inside, self.outside = (encode(source, *clinc.part(raw, name), TOKENS_MAX) for name in ("val", "oos_val"))

    def __call__(self, model: Encoder) -> str:
        checkpoint.write(self.out.with_name(self.out.name + ".part"), model.config, model.weights(), self.source)
        inside, outside = told(model, self.inside), told(model, self.outside)
        cells = []
        for below in (0.0, 0.3, 0.5, 0.7):
            right = (decide(inside.logits, self.oos, below) == inside.targets).mean()
            caught = (decide(outside.logits, self.oos, below) == self.oos).mean()
            cells.append(f"{below}: {100 * right:.2f}/{100 * caught:.0f}")
        return "val in scope/out of scope by threshold " + ", ".join(cells)

    def done(self) -> Path:
        """The finished checkpoint, under its final name."""
        self.out.with_name(self.out.name + ".part").rename(self.out)
        return self.out


def teacher_of(raw: clinc.Raw, source: Path, work: Path, seed: int) -> Path:
    """All layers, fine-tuned on the labels."""
    out = work / "teacher"
    if not out.is_dir():
        torch.manual_seed(seed)
        scorer = Scorer(raw, source, out)
        views = views_of(encode(source, *clinc.training_part(raw), TOKENS_MAX), TEACHER, seed + 2)
        fit(loaded(source, scorer.oos + 1), views, TEACHER, seed + 3, scorer)
        scorer.done()
    return out


def student_of(raw: clinc.Raw, teacher: Path, work: Path, seed: int, kept: str = KEPT_LAYERS) -> Path:
    """Some of the teacher's layers, taught by the whole of it."""
    cut, out = work / f"cut-{kept}", work / f"student-{kept}"
    if not out.is_dir():
        if not cut.is_dir():
            run_recipe("prune", "layers", teacher, cut, "--keep", kept, "--eval", work / "val.jsonl", "--labels", work / "labels.json")
        scorer = Scorer(raw, teacher, out)
        texts = encode(teacher, *clinc.training_part(raw, NOISY), TOKENS_MAX)
        answers = with_answers(work / "answers.npz", texts, teacher, scorer.oos + 1)
        fit(loaded(cut, scorer.oos + 1), views_of(answers, STUDENT, seed + 2), STUDENT, seed + 3, scorer)
        scorer.done()
    return out


def with_answers(path: Path, texts: Texts, teacher: Path, labels: int) -> Texts:
    """The texts with what the teacher says of each, asked once and kept."""
    if not path.is_file():
        told_ = told(loaded(teacher, labels), texts)
        np.savez(path, logits=told_.logits, pooled=told_.pooled)
    with np.load(path) as kept:
        return replace(texts, logits=kept["logits"], pooled=kept["pooled"])


STATIC = ("--exclude", "logits.product")


def quantised(student: Path, work: Path, labels: int, out: Path, *scheme: object) -> None:
    """The checkpoint as a float32 graph in WORK, and that graph through the recipe `quantize`."""
    plain = work / f"{student.name}.onnx"
    graph.save(loaded(student, labels).eval(), TOKENS_MAX, plain)
    run_recipe(
        "quantize", plain, out, *scheme, "--calibrate", work / "train.jsonl", "--tokenizer", student / "tokenizer.json",
        "--eval", work / "val.jsonl", "--labels", work / "labels.json", "--tokens-max", TOKENS_MAX,
    )


def settings() -> dict:
    """What model.json says of the training."""
    return {"vocabulary": PIECES, "keptLayers": KEPT_LAYERS, "teacher": asdict(TEACHER), "student": asdict(STUDENT)}
