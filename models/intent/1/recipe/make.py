"""Make the model from CLINC150: train, quantise, measure, and write every shipped file.

    python make.py --data DIR --work WORK                  # all of it
    python make.py --data DIR --work WORK --from package   # re-use the trained checkpoint in WORK
"""

from __future__ import annotations

import argparse
import hashlib
import json
from dataclasses import asdict
from pathlib import Path

import torch

import export
import measure
from dataset import OOS, SOURCE, Split, label_names, load, load_raw
from features import PREPROCESS, Hasher, table_rows
from golden import golden
from train import Classifier, Settings, fit, logits_of

ALLOWED_LOSS = 0.005


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help=f"folder with {SOURCE}; or set LEDGE_DATA")
    parser.add_argument("--work", required=True, type=Path, help="folder for the checkpoint (made if missing)")
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent.parent, help="the model folder to write")
    parser.add_argument("--from", dest="start", choices=["train", "package"], default="train", help="first stage to run")
    parser.add_argument("--seed", type=int, default=20)
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


def trained(args: argparse.Namespace, splits: dict[str, Split], labels: int) -> Classifier:
    """A freshly trained model, or the one kept in the work folder."""
    rows, kept = table_rows(PREPROCESS), args.work / "checkpoint.pt"
    if args.start == "train":
        args.work.mkdir(parents=True, exist_ok=True)
        model = fit(splits, rows, labels, Settings(), args.seed)
        torch.save(model.state_dict(), kept)
    model = Classifier(rows, labels, Settings())
    model.load_state_dict(torch.load(kept, weights_only=True))
    return model.eval()


def metrics(model: Classifier, path: Path, splits: dict[str, Split], oos: int) -> tuple[dict, float]:
    """Everything measured on the shipped file, and the threshold chosen on validation."""
    run = measure.session(path)
    val = measure.logits_of(run, splits["val"].features)
    below = measure.choose_threshold(val, splits["val"].targets, oos, ALLOWED_LOSS)
    float_right = logits_of(model, splits["test"]).argmax(1).numpy() == splits["test"].targets
    found = {
        "dataset": "CLINC150 (full), test split",
        **measure.quality(run, splits, oos, below),
        "float32InScopeAccuracyWithoutThreshold": measure.share(float_right),
        "validation": {
            "inScopeAccuracy": measure.share(measure.decide(val, oos, below) == splits["val"].targets),
            "outOfScopeRecall": measure.share(
                measure.decide(measure.logits_of(run, splits["oos_val"].features), oos, below) == oos
            ),
        },
        "rowIndependenceMaxLogitDifference": measure.independence(run, splits["test"].features[:800]),
        "nativeOneThreadMilliseconds": {
            f"batch{b}": measure.milliseconds(run, splits["test"].features, b) for b in (1, 8)
        },
    }
    return found, below


def file_entry(path: Path) -> dict:
    """Path, size and hash of one file."""
    content = path.read_bytes()
    return {"path": path.name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def description(path: Path, found: dict, below: float, labels: int) -> dict:
    """The content of model.json."""
    return {
        "name": "intent",
        "version": "1",
        "task": "text-classification",
        "description": "Which of 150 assistant intents a short English utterance has, or `oos` for none of them.",
        "licence": "Apache-2.0",
        "file": file_entry(path),
        "files": [file_entry(path.parent / "labels.json")],
        "inputs": [{"name": "ids", "datatype": "INT32", "shape": [-1, -1]}],
        "outputs": [{"name": "logits", "datatype": "FP32", "shape": [-1, labels]}],
        "preprocess": PREPROCESS,
        "postprocess": {"kind": "softmax-labels", "labels": "labels.json", "outOfScope": {"label": OOS, "below": below}},
        "tiers": ["edge", "origin"],
        "limits": {"inputBytesMax": 2048, "batchMax": 64},
        "metrics": found,
        "training": asdict(Settings()),
    }


def write_json(path: Path, value: object, indent: int | None = 2) -> None:
    """UTF-8 JSON with a last newline."""
    path.write_text(json.dumps(value, ensure_ascii=False, indent=indent) + "\n", encoding="utf-8")


def main() -> None:
    """Run the stages asked for and print the final table."""
    args = arguments()
    torch.set_num_threads(args.threads)
    raw = load_raw(args.data)
    hasher, names = Hasher(PREPROCESS), label_names(raw)
    splits = load(raw, hasher)
    model = trained(args, splits, len(names))
    path = args.out / "model.onnx"
    export.save(model, path)
    found, below = metrics(model, path, splits, names.index(OOS))
    write_json(args.out / "labels.json", names)
    write_json(args.out / "features.golden.json", golden(hasher, splits["test"].texts), indent=None)
    write_json(args.out / "model.json", description(path, found, below, len(names)))
    print(json.dumps({"bytes": path.stat().st_size, "threshold": below} | found, indent=2))


if __name__ == "__main__":
    main()
