"""Make `embed` 1: the recipe `distill` with this model's settings. Further options are handed on (`--dry-run`, `--threads 2`)."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent
RECIPE = PACKAGE.parent.parent / "recipes" / "distill"
TEXTS = {"wordnet": 95_000, "composed": 62_000, "debian": 36_000, "clinc": 16_000, "tweets": 18_000, "plays": 6_000}


def main() -> None:
    """Run the recipe; its exit status is ours."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--teacher", default="sentence-transformers/all-MiniLM-L6-v2", help="folder or Hugging Face name (default %(default)s)")
    parser.add_argument("--texts", type=Path, required=True, help=f"folder of {', '.join(f'{name}.txt' for name in TEXTS)}, made by texts.py")
    args, more = parser.parse_known_args()
    texts = [f"{args.texts / name}.txt={count}" for name, count in TEXTS.items()]
    settings = ["--name", "embed", "--version", "1", "--layers", "0,2,4,5", "--vocabulary", "26500", "--rows", "55900", "--epochs", "1"]
    command = [sys.executable, str(RECIPE), "transformer", "--teacher", args.teacher, "--text", *texts, "--out", str(PACKAGE), *settings, *more]
    raise SystemExit(subprocess.run(command).returncode)


if __name__ == "__main__":
    main()
