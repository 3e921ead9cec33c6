"""The table that every recipe leaves beside its result: table.json for programs, table.md for people."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from classify.checkpoint import write_json

Row = dict[str, object]


def interval(found: dict) -> str:
    """A share with its 95 % interval."""
    return f"{found['percent']:.2f} % ({found['ci95'][0]:.2f}–{found['ci95'][1]:.2f})"


COLUMNS: list[tuple[str, str, Callable[[Row], str | None]]] = [
    ("model", "model", lambda row: str(row["model"])),
    ("bytes", "bytes", lambda row: f"{row['bytes']:,}"),
    ("accuracy", "accuracy (95 %)", lambda row: interval(row["accuracy"])),
    ("nativeMs", "native CPU ms, batch 1", lambda row: f"{row['nativeMs']['1']:.3f}"),
    ("nativeMs", "batch 8", lambda row: f"{row['nativeMs']['8']:.3f}" if "8" in row["nativeMs"] else None),
    ("workerd", "workerd ms, batch 1", lambda row: f"{row['workerd']['runMs']['1']:.2f}"),
    ("workerd", "batch 8", lambda row: f"{row['workerd']['runMs']['8']:.2f}" if "8" in row["workerd"]["runMs"] else None),
    ("workerd", "workerd heap, MB", lambda row: f"{row['workerd']['heapBytes'] / 1e6:.1f}"),
]


def markdown(rows: list[Row], notes: list[str]) -> str:
    """A table with the columns that at least one row fills, and a sentence for each thing left out."""
    used = [(title, cell, key) for key, title, cell in COLUMNS if any(row.get(key) for row in rows)]
    lines = ["| " + " | ".join(title for title, _, _ in used) + " |", "|" + "---|" * len(used)]
    for row in rows:
        cells = [(cell(row) if row.get(key) else None) or "–" for _, cell, key in used]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines + ([""] + [f"- {note}" for note in notes] if notes else [])) + "\n"


def write(folder: Path, rows: list[Row], notes: list[str]) -> str:
    """Write table.json and table.md into the folder; return the latter's text."""
    folder.mkdir(parents=True, exist_ok=True)
    text = markdown(rows, notes)
    write_json(folder / "table.json", {"rows": rows, "notes": notes})
    (folder / "table.md").write_text(text, encoding="utf-8")
    return text
