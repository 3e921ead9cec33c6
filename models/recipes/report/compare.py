"""Compare graphs with the input model: the arguments all recipes share, and the rows of their tables."""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from report import table
from report.labelled import DataError, Inputs, Reader, labelled
from report.measure import accuracy, in_workerd, milliseconds

NO_EVAL = "Accuracy and native times are left out: they need a labelled set, by --eval FILE, and a model that classifies."


@dataclass(frozen=True)
class Comparison:
    """What to compare on: labelled batches, or nothing."""

    batches: list[Inputs] = field(default_factory=list)
    labels: np.ndarray | None = None

    @staticmethod
    def add_arguments(parser: argparse.ArgumentParser) -> None:
        """The options that choose the evaluation set."""
        parser.add_argument("--eval", type=Path, metavar="FILE", help='labelled set: .jsonl of {"text", "label"}, or .npz of inputs and "labels"')
        parser.add_argument("--labels", type=Path, metavar="FILE", help="label names in output order, a JSON list")
        parser.add_argument("--tokenizer", type=Path, metavar="FILE", help="tokenizer.json, for .jsonl files")
        parser.add_argument("--tokens-max", type=int, default=128, help="cut texts after so many tokens (default 128)")

    @classmethod
    def of(cls, args: argparse.Namespace, reader: Reader) -> Comparison:
        """Read what the arguments name."""
        if not args.eval:
            return cls()
        if args.labels and not args.labels.is_file():
            raise DataError(f"{args.labels} is missing.")
        names = json.loads(args.labels.read_text(encoding="utf-8")) if args.labels else None
        batches, labels = labelled(args.eval, reader, names)
        return cls(batches, labels)

    def of_rows(self, count: int) -> Inputs:
        """The first `count` rows as one batch."""
        return {name: value[:count] for name, value in self.batches[0].items()}


def compare(graphs: dict[str, Path], sets: list[Comparison], folder: Path) -> str:
    """Measure each graph on its own set, write the table into the folder, and return it as text."""
    rows: list[table.Row] = [{"model": name, "bytes": path.stat().st_size} for name, path in graphs.items()]
    notes: list[str] = []
    for row, path, on in zip(rows, graphs.values(), sets):
        if on.labels is None:
            notes = [NO_EVAL]
        else:
            row["accuracy"] = accuracy(path, on.batches, on.labels)
    for count in (1, 8):
        if all(on.labels is not None and len(on.labels) >= count for on in sets):
            times = milliseconds(list(graphs.values()), [on.of_rows(count) for on in sets])
            for row, found in zip(rows, times):
                row.setdefault("nativeMs", {})[str(count)] = found
    for row, path in zip(rows, graphs.values()):
        row["workerd"], reason = in_workerd(path)
        if reason:
            notes.append(reason)
    return table.write(folder, rows, list(dict.fromkeys(notes)))
