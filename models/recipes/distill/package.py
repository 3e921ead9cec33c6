"""The package around a student's graph: tokenizer, model.json with hashes, ids to compare tokenizers with, and the table."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from tokenizers import Tokenizer

from classify.checkpoint import write_json
from classify.package import file_entry, golden_texts, tensors
from distill.corpus import tokenise
from distill.pairs import ALL, Pairs, against, similarities
from report.measure import in_workerd, milliseconds, session

TOKENS_TIMED = 16
Reading = tuple[Tokenizer, int, bool]


@dataclass(frozen=True)
class Named:
    """What a package says of itself. `special`: whether sentences get their start and end token."""

    name: str
    version: str
    description: str
    tokens_max: int
    special: bool
    training: dict


def write_tokenizer(described: dict, folder: Path) -> Tokenizer:
    """tokenizer.json without line breaks, which would be a third of it; and the tokenizer that it describes."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "tokenizer.json"
    path.write_text(json.dumps(described, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
    return Tokenizer.from_file(str(path))


def write_golden(folder: Path, tokenizer: Tokenizer, named: Named) -> None:
    """tokens.golden.json: texts of our own making and their ids, for a test of another implementation of the tokenizer."""
    tokenizer.enable_truncation(named.tokens_max)
    rows = [{"text": text, "ids": tokenizer.encode(text, add_special_tokens=named.special).ids} for text in golden_texts()]
    lines = ",\n".join(json.dumps(row, ensure_ascii=True, separators=(",", ":")) for row in rows)
    (folder / "tokens.golden.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")


def write_manifest(folder: Path, named: Named, metrics: dict, measured: dict | None) -> None:
    """model.json for the folder's model.onnx and tokenizer.json. `measured` is what workerd said, if it was asked."""
    graph = onnx.load(folder / "model.onnx")
    outputs = tensors(list(graph.graph.output))
    reading = {"kind": "tokenizer", "tokenizer": "tokenizer.json", "maxTokens": named.tokens_max, "padId": 0, "inputs": {"ids": "input_ids"}}
    write_json(folder / "model.json", {
        "name": named.name,
        "version": named.version,
        "task": "embedding",
        "description": named.description,
        "licence": "Apache-2.0",
        "file": file_entry(folder, "model.onnx"),
        "files": [file_entry(folder, "tokenizer.json")],
        "opset": graph.opset_import[0].version,
        "producer": graph.producer_name,
        "inputs": tensors(list(graph.graph.input)),
        "outputs": outputs,
        "preprocess": reading if named.special else reading | {"specialTokens": False},
        "postprocess": {"kind": "embedding", "output": "embedding", "pool": "none", "normalise": True, "dimensions": outputs[0]["shape"][1]},
        "tiers": ["edge", "origin"],
        "limits": {"inputBytesMax": 8192, "batchMax": 64},
        **({"measured": measured} if measured else {}),
        "metrics": metrics,
        "training": named.training,
    })  # fmt: skip


def row_independence(path: Path, reading: Reading, lines: list[str]) -> float:
    """The largest difference of any number between sentences alone, and in one batch padded by 16 more tokens."""
    run, tokens = session(path), tokenise(reading[0], lines, reading[1], reading[2])
    rows = np.arange(len(lines))
    together = np.pad(tokens.padded(rows, 0), ((0, 0), (0, TOKENS_TIMED))).astype(np.int32)
    joined = run.run(None, {"input_ids": together[:, : reading[1]]})[0]
    alone = [run.run(None, {"input_ids": tokens.padded(rows[at : at + 1], 0).astype(np.int32)})[0][0] for at in rows]
    return float(np.abs(joined - np.stack(alone)).max())


def compare(graphs: dict[str, tuple[Path, Reading]], pairs: Pairs | None) -> tuple[list[dict], list[str]]:
    """A row for each graph, the first being the teacher, and a sentence for each thing left out."""
    paths, notes = [path for path, _ in graphs.values()], []
    rows: list[dict] = [{"model": name, "bytes": path.stat().st_size} for name, (path, _) in graphs.items()]
    if pairs:
        found = [similarities(session(path), reading[0], pairs, reading[1], reading[2]) for path, reading in graphs.values()]
        for row, own in zip(rows, found):
            row["pairs"] = against(found[0], own, pairs)
    else:
        notes.append("Quality is left out: it needs scored pairs of sentences, by --eval FILE.")
    pieces = min(reading[0].get_vocab_size() for _, reading in graphs.values())
    for count in (1, 8):
        ids = 5 + (np.arange(count * TOKENS_TIMED, dtype=np.int32).reshape(count, TOKENS_TIMED) * 7919) % (pieces - 5)
        for row, found_ms in zip(rows, milliseconds(paths, [{"input_ids": ids}] * len(paths))):
            row.setdefault("nativeMs", {})[str(count)] = found_ms
    for row, path in zip(rows, paths):
        row["workerd"], reason = in_workerd(path)
        if reason:
            notes.append(reason)
            break
    return rows, notes


def cells(row: dict) -> dict[str, str]:
    """The texts of one row of the table, by column."""
    made = {"model": row["model"], "bytes": f"{row['bytes']:,}"}
    for name, found in row.get("pairs", {}).items():
        made[f"Spearman, {name}"] = f"{found['spearman']:.4f}"
    if "pairs" in row:
        found = row["pairs"][ALL]
        made["of the teacher's (95 %)"] = f"{found['ratio']:.4f} ({found['ratioCi95'][0]:.4f}–{found['ratioCi95'][1]:.4f})"
    for count, took in row["nativeMs"].items():
        made[f"native ms, batch {count}"] = f"{took:.3f}"
    if row.get("workerd"):
        for count, took in row["workerd"]["runMs"].items():
            made[f"workerd ms, batch {count}"] = f"{took:.2f}"
        made["workerd heap, MB"] = f"{row['workerd']['heapBytes'] / 1e6:.1f}"
    return made


def write_table(folder: Path, rows: list[dict], notes: list[str]) -> str:
    """table.json and table.md; the latter's text."""
    texts = [cells(row) for row in rows]
    columns = list(dict.fromkeys(column for text in texts for column in text))
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    lines += ["| " + " | ".join(text.get(column, "–") for column in columns) + " |" for text in texts]
    written = "\n".join(lines + ([""] + [f"- {note}" for note in notes] if notes else [])) + "\n"
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "table.json", {"rows": rows, "notes": notes})
    (folder / "table.md").write_text(written, encoding="utf-8")
    return written
