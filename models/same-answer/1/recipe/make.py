"""Make the model from families of prompts, CLINC150, WordNet and `embed` 1: train, calibrate, quantise, measure, and write every shipped file.

    python make.py --data DIR --wordnet DIR --work WORK     # a stage whose result lies in WORK is skipped
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "recipes"))

import numpy as np  # noqa: E402
import torch  # noqa: E402

import clinc  # noqa: E402
import judge  # noqa: E402
import rules  # noqa: E402
import stages  # noqa: E402
from classify import package  # noqa: E402
from classify.score import calibration_error, probabilities  # noqa: E402
from families import Pair  # noqa: E402
from network import LABELS, TOKENS_MAX  # noqa: E402
from report.labelled import Reader  # noqa: E402
from report.measure import first_outputs, milliseconds  # noqa: E402
from train import joined  # noqa: E402

DESCRIPTION = "Whether two English prompts, asked as one text `A [SEP] B`, want the same answer. A transformer of four layers that compares token by token."
WORDNET = "folder usr/share/wordnet of the Debian package wordnet-base (WordNet 3.0)"
TARGET = 0.005
LEAST_HITS = 0.05
THRESHOLDS = (0.5, 0.8, 0.9, 0.95, 0.98, 0.99)
COSINES = (0.8, 0.9, 0.95)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, type=Path, help=f"folder with {clinc.SOURCE}")
    parser.add_argument("--wordnet", required=True, type=Path, help=WORDNET)
    parser.add_argument("--node", default="node", help="Node.js 24 or later, for the rules of the gateway (default %(default)s)")
    parser.add_argument("--work", required=True, type=Path, help="folder for pairs and checkpoints (made if missing)")
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent.parent, help="the model folder to write; test-pairs.txt lies there")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


def times(path: Path, reader: Reader, pairs: list[Pair]) -> dict:
    """Median CPU ms of one call with the first 1 and 8 pairs, one thread."""
    batch = reader.encode([joined(pair) for pair in pairs[:8]])[0]
    return {f"batch{n}": milliseconds([path], [{name: value[:n] for name, value in batch.items()}])[0] for n in (1, 8)}


def on_dev(graph: Path, tokenizer: Path, dev: list[Pair], forbidden: np.ndarray) -> tuple[float, dict]:
    """The threshold that the target for false hits asks for with the rules in front, and what the dev set says at it.

    Where no threshold reaches the target with at least LEAST_HITS of the pairs that want the same, the one with the fewest false hits among those that hit as many.
    """
    logits, same = judge.outputs(graph, tokenizer, [joined(pair) for pair in dev], TOKENS_MAX), np.array([pair.same for pair in dev])
    chances = np.where(forbidden, 0, probabilities(logits)[:, 1])
    order = np.argsort(-chances)
    hits = np.arange(1, len(dev) + 1)
    false, right = np.cumsum(~same[order]) / hits, np.cumsum(same[order]) / same.sum()
    enough = np.flatnonzero(right >= LEAST_HITS)
    fitting = enough[false[enough] <= TARGET]
    at = fitting[-1] if len(fitting) else enough[np.argmin(false[enough])]
    return float(np.floor(1e4 * chances[order[at]]) / 1e4), {
        "pairs": len(dev), "leftByRules": {"same": share(~forbidden[same]), "different": share(~forbidden[~same])},
        "targetReached": bool(len(fitting)), "hits": round(100 * float(right[at]), 2), "falseOfHits": round(100 * float(false[at]), 2),
        "expectedCalibrationError": round(calibration_error(logits[~forbidden], same[~forbidden].astype(int)), 4),
    }


def share(kept: np.ndarray) -> float:
    """In percent."""
    return round(100 * float(kept.mean()), 2)


def on_test(graph: Path, tokenizer: Path, rows: list[dict], threshold: float, node: str) -> dict:
    """Hits and false hits on the test set, whole and in its parts, alone and behind the rules, beside the cosine of `embed` 1 alone."""
    pairs = judge.pairs_of(rows)
    forbidden = np.array([bool(rule) for rule in rules.objections(pairs, node)])
    logits = judge.outputs(graph, tokenizer, [joined(pair) for pair in pairs], TOKENS_MAX)
    chances, cosines = probabilities(logits)[:, 1], judge.cosines(pairs)
    mine = {by: [at for at, row in enumerate(rows) if row["by"] == by] for by in ("hand", "generator")}
    part = lambda at, value: judge.at_threshold(chances[at], [rows[i] for i in at], value)
    return {
        "pairs": len(rows),
        "expectedCalibrationError": round(calibration_error(logits, np.array([int(row["same"]) for row in rows])), 4),
        "behindRules": judge.curve(np.where(forbidden, -1, chances), rows, sorted({0.0, *THRESHOLDS, threshold})),
        "model": judge.curve(chances, rows, sorted({*THRESHOLDS, threshold})),
        **{by: part(at, threshold) for by, at in mine.items()},
        "cosineAlone": judge.curve(cosines, rows, list(COSINES)),
        "cosineAloneByHand": judge.curve(cosines[mine["hand"]], [rows[at] for at in mine["hand"]], list(COSINES)),
    }


def write_package(train: list[Pair], dev: list[Pair], source: Path, args: argparse.Namespace) -> dict:
    """Calibrate, quantise, choose the threshold on the dev set, measure on the test set, write the folder; returns what was measured."""
    forbidden = np.array([bool(rule) for rule in rules.objections(dev, args.node)])
    ready, chosen = stages.calibrated([pair for pair, no in zip(dev, forbidden) if not no], source, args.work)
    path = args.work / "shipped" / "model.onnx"
    stages.quantised(train, ready, args.work, path)
    (args.out / "model.onnx").write_bytes(path.read_bytes())
    rows, tokenizer = judge.test_rows(args.out / "test-pairs.txt"), ready / "tokenizer.json"
    threshold, dev_says = on_dev(path, tokenizer, dev, forbidden)
    reader, texts = Reader(path, tokenizer, TOKENS_MAX), [joined(pair) for pair in dev[:400]]
    alone, together = first_outputs(path, reader.encode(texts, one_by_one=True)), first_outputs(path, reader.encode(texts))
    found = {
        "dataset": "test-pairs.txt: prompts by hand, and by families that no training saw",
        "falseHitTarget": TARGET,
        "threshold": threshold,
        "dev": dev_says,
        "test": on_test(path, tokenizer, rows, threshold, args.node),
        "rowIndependenceMaxLogitDifference": round(float(np.abs(alone - together).max()), 6),
        "nativeOneThreadMilliseconds": times(path, reader, dev),
    }
    training = {"start": "embed 1", "inner": stages.INNER, **asdict(stages.SETTINGS), "calibration": chosen}
    package.write(args.out, ready, LABELS, TOKENS_MAX, {"name": "same-answer", "version": "1", "description": DESCRIPTION, "metrics": found, "training": training})
    return {"bytes": path.stat().st_size} | found


def main() -> None:
    """Run the stages and print what was measured."""
    args = arguments()
    torch.set_num_threads(args.threads)
    inputs = stages.Inputs(args.data, args.wordnet, args.node)
    train, dev = stages.drawn(inputs, args.work, args.seed)
    source = stages.tuned(train, dev, stages.base(args.work), args.work, args.seed)
    print(json.dumps(write_package(train, dev, source, args), indent=2))


if __name__ == "__main__":
    main()
