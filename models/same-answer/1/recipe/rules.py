"""What the gateway's rules say of pairs: the model only ever judges those that no rule objects to."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from random import Random

from families import Pair

REPOSITORY = Path(__file__).resolve().parents[4]
SCRIPT = REPOSITORY / "scripts" / "semantic" / "vetoes.ts"
KEPT_SAME, KEPT_DIFFERENT = 0.5, 0.2


def objections(pairs: list[Pair], node: str) -> list[str]:
    """To each pair the rule that forbids it, or nothing. `node`: a Node.js that runs TypeScript (24 or later)."""
    lines = "".join(json.dumps({"a": pair.a, "b": pair.b}) + "\n" for pair in pairs)
    said = subprocess.run([node, str(SCRIPT)], input=lines, capture_output=True, text=True, check=True, cwd=REPOSITORY).stdout
    return said.split("\n")[:-1]


def thinned(pairs: list[Pair], node: str, seed: int) -> list[Pair]:
    """The pairs that no rule objects to, and some of the others."""
    draw = Random(seed)
    share = lambda pair: KEPT_SAME if pair.same else KEPT_DIFFERENT
    return [pair for pair, rule in zip(pairs, objections(pairs, node)) if not rule or draw.random() < share(pair)]
