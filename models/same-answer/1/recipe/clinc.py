"""Requests as people spoke them, from CLINC150 (CC BY 3.0)."""

from __future__ import annotations

import json
from pathlib import Path

SOURCE = "clinc150.json (CLINC150 with out-of-scope, data_full.json of clinc/oos-eval on GitHub, CC BY 3.0)"


def requests(folder: Path) -> list[str]:
    """Those of the training split."""
    path = folder / "clinc150.json"
    if not path.is_file():
        raise SystemExit(f"Missing data: give --data DIR with {SOURCE}.")
    return [text for text, _ in json.loads(path.read_text(encoding="utf-8"))["train"]]
