"""Accuracy against time for all that was made on the way: layers × ways to store them, and version 1. Reads validation only.

    python curve.py --data DIR --work WORK [--node NODE]

Run it after make.py. Writes WORK/curve/table.md and table.json; times are medians of CPU time, all graphs in turn, one thread, 16 tokens.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]
sys.path.insert(0, str(ROOT / "models" / "recipes"))

import numpy as np  # noqa: E402
import onnx  # noqa: E402

import clinc  # noqa: E402
import measure  # noqa: E402
import stages  # noqa: E402
from classify import graph  # noqa: E402
from classify.checkpoint import write_json  # noqa: E402
from classify.score import decide  # noqa: E402
from quantize.schemes import SCHEMES, Options  # noqa: E402
from report.labelled import Reader, samples  # noqa: E402
from report.measure import share  # noqa: E402

WASM_TIME = ROOT / "models" / "recipes" / "report" / "wasm-time.mjs"
REFERENCE = "teacher, int8-dynamic"
OF_TEACHER = ("int8-dynamic", "int8-static")
OF_STUDENT = ("fp16", "int4", "int8-dynamic", "int8-static")


def variants(work: Path, labels: int) -> dict[str, tuple[Path, Path]]:
    """Name -> (graph, checkpoint) of each checkpoint in each way of storing it; graphs are made in WORK/curve."""
    found: dict[str, tuple[Path, Path]] = {}
    for folder in [work / "teacher", *(found for found in sorted(work.glob("student-*")) if found.is_dir() and found.suffix != ".part")]:
        plain = work / "curve" / f"{folder.name}.float32.onnx"
        graph.save(stages.loaded(folder, labels).eval(), stages.TOKENS_MAX, plain)
        found[f"{folder.name}, float32"] = (plain, folder)
        given = samples(work / "train.jsonl", Reader(plain, folder / "tokenizer.json", stages.TOKENS_MAX), 300)
        for scheme in OF_TEACHER if folder.name == "teacher" else OF_STUDENT:
            out = work / "curve" / f"{folder.name}.{scheme}.onnx"
            options = Options(samples=tuple(given), exclude=("logits.product",) if scheme == "int8-static" else ())
            out.write_bytes(SCHEMES[scheme](onnx.load(plain), options).SerializeToString(deterministic=True))
            found[f"{folder.name}, {scheme}"] = (out, folder)
    return found


def wasm_times(paths: list[Path], node: str) -> dict[str, dict[str, float]]:
    """Median ms by path and batch size, in onnxruntime-web."""
    done = subprocess.run([node, str(WASM_TIME), "16", *map(str, paths)], capture_output=True, text=True, check=True, cwd=ROOT)
    return json.loads(done.stdout.strip().splitlines()[-1])


def rows_of(raw: clinc.Raw, work: Path, node: str) -> list[dict]:
    """One row for each variant."""
    names = clinc.label_names(raw)
    oos, made = names.index(clinc.OOS), variants(work, len(names))
    texts, targets = clinc.part(raw, "val")
    paths = [path for path, _ in made.values()]
    native, wasm = measure.native_times(paths), wasm_times(paths, node)
    base = list(made).index(REFERENCE)
    rows = []
    for at, (name, (path, folder)) in enumerate(made.items()):
        logits = measure.logits_of(path, Reader(path, folder / "tokenizer.json", stages.TOKENS_MAX).encode(texts))
        rows.append({
            "model": name, "bytes": path.stat().st_size, "validation": share(decide(logits, oos, 0) == np.array(targets)),
            "native": native[at], "wasm": wasm[str(path)],
            "ratio": {"native": native[at]["batch1"] / native[base]["batch1"], "wasm": wasm[str(path)]["1"] / wasm[str(paths[base])]["1"]},
        })
    return rows


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help=f"folder with {clinc.SOURCE}; or set LEDGE_DATA")
    parser.add_argument("--work", required=True, type=Path)
    parser.add_argument("--node", default=str(ROOT / "node_modules" / ".bin" / "node"), help="Node 22 or later, with the repository's packages installed")
    args = parser.parse_args()
    (args.work / "curve").mkdir(exist_ok=True)
    rows = rows_of(clinc.load(args.data), args.work, args.node)
    lines = [f"| model | bytes | validation, in scope | native ms, 1 / 8 | WASM ms, 1 / 8 | time against `{REFERENCE}`, native / WASM |", "|---|---|---|---|---|---|"]
    for row in rows:
        times = f"{row['native']['batch1']:.2f} / {row['native']['batch8']:.2f} | {row['wasm']['1']:.2f} / {row['wasm']['8']:.2f}"
        lines.append(f"| {row['model']} | {row['bytes']:,} | {row['validation']['percent']:.2f} % | {times} | {row['ratio']['native']:.2f} / {row['ratio']['wasm']:.2f} |")
    write_json(args.work / "curve" / "table.json", rows)
    (args.work / "curve" / "table.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
