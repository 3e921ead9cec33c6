"""The smaller candidate that was not shipped: hashed byte features, as in `intent` 1, on the same parts. Prints its figures on the test split.

    python hashed.py --data DIR --work WORK
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

MODELS = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(MODELS / "recipes"), str(MODELS / "intent" / "1" / "recipe")]

import numpy as np  # noqa: E402
import torch  # noqa: E402
from dataset import Split  # noqa: E402
from export import save  # noqa: E402
from features import PREPROCESS, Hasher, table_rows  # noqa: E402
from measure import logits_of as graph_logits  # noqa: E402
from measure import padded, session  # noqa: E402
from train import Settings, fit, logits_of  # noqa: E402

import plain  # noqa: E402
import tweets  # noqa: E402
from classify.score import calibration_error, f1_table, temperature  # noqa: E402
from report.measure import milliseconds, share  # noqa: E402
from stages import choose_shift, columns  # noqa: E402

SETTINGS = Settings(epochs=8, rate=2e-3, hidden=64, dropout=0.5, word_dropout=0.2, feature_dropout=0.4, oos_copies=0)


def hashed(hasher: Hasher, examples: list[tweets.Example]) -> Split:
    """One part as hashed features."""
    texts, targets = columns(examples)
    return Split(texts, np.array(targets, int), [np.array(hasher.with_owners(text)) for text in texts])


def main() -> None:
    """Train, shift and scale on validation, measure on the test split."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help=f"folder with {tweets.SOURCE}; or set LEDGE_DATA")
    parser.add_argument("--work", required=True, type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    hasher, parts, neither = Hasher(PREPROCESS), tweets.split(tweets.load(args.data)), tweets.LABELS.index("neither")
    shares = np.bincount(columns(parts["train"])[1]) / len(parts["train"])
    parts["train"] += plain.learned(args.data, neither)
    splits = {name: hashed(hasher, examples) for name, examples in parts.items()} | {"noise": hashed(hasher, []), "oos_train": hashed(hasher, [])}
    model = fit(splits, table_rows(PREPROCESS), len(tweets.LABELS), SETTINGS, seed=1)
    val = splits["val"]
    shift = choose_shift(logits_of(model, val).numpy(), val.targets, shares)
    heat = temperature(logits_of(model, val).numpy() - shift * np.log(shares), val.targets)
    with torch.no_grad():
        model.output.bias.sub_(torch.from_numpy(shift * np.log(shares)).float()).div_(heat)
        model.output.weight.div_(heat)
    path, test = args.work / "hashed.onnx", splits["test"]
    save(model, path)
    logits = graph_logits(session(path), test.features)
    harmless = {name: hashed(hasher, [(text, neither) for text in texts]) for name, texts in plain.held_out(args.data).items()}
    print(json.dumps({
        "bytes": path.stat().st_size, "shift": shift, "temperature": heat,
        "accuracy": share(logits.argmax(1) == test.targets), **f1_table(test.targets, logits.argmax(1), tweets.LABELS),
        "expectedCalibrationError": round(calibration_error(logits, test.targets), 4),
        "falseAlarms": {name: share(graph_logits(session(path), part.features).argmax(1) != neither) for name, part in harmless.items()},
        "nativeOneThreadMilliseconds": {f"batch{n}": milliseconds([path], [{"ids": padded(test.features[:n])}])[0] for n in (1, 8)},
    }, indent=2))


if __name__ == "__main__":
    main()
