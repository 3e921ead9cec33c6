"""Distil a sentence embedder into a smaller one, as a model package with a table of what that costs and saves against the teacher.

  distill transformer --teacher FOLDER_OR_NAME --text FILE … --out DIR --name embed --layers 4
  distill static      --teacher FOLDER_OR_NAME --text FILE … --out DIR --name embed-static --dimensions 256

The teacher is an encoder of the BERT family with a fast tokenizer: a folder as Hugging Face lays it out (config.json, model.safetensors,
tokenizer.json, 1_Pooling/config.json), or a Hugging Face name such as sentence-transformers/all-MiniLM-L6-v2.
A text file holds one sentence a line; FILE=N takes N lines of it, drawn at random. texts.py makes such files from public sources.
A transformer student starts from some of the teacher's layers and learns its vectors and token states. A static student is one vector a
token: no layers, far faster, less exact.

OUT gets model.onnx (int8), tokenizer.json, tokens.golden.json, model.json, table.json and table.md. What the teacher said and how far training
came is kept in --work: the same command again goes on where it stopped.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import torch  # noqa: E402

from distill import run  # noqa: E402
from distill.corpus import CorpusError  # noqa: E402
from distill.fit import Settings  # noqa: E402
from distill.pairs import PairsError  # noqa: E402
from distill.static import Settings as StaticSettings  # noqa: E402
from distill.student import StudentError  # noqa: E402
from distill.teacher import TeacherError  # noqa: E402
from prune.vocabulary import VocabularyError  # noqa: E402

FAULTS = (CorpusError, PairsError, StudentError, TeacherError, VocabularyError)


def shared() -> argparse.ArgumentParser:
    """The options that both kinds of students have."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--teacher", required=True, help="checkpoint folder, or Hugging Face name")
    parser.add_argument("--text", required=True, nargs="+", action="extend", metavar="FILE[=N]", help="sentences, one a line; repeat for more files")
    parser.add_argument("--out", required=True, type=Path, help="folder of the package to write")
    parser.add_argument("--work", type=Path, default=Path(".ledge/distill"), help="folder for what is kept between runs (default %(default)s)")
    parser.add_argument("--name", default="embed", help="name of the model (default %(default)s)")
    parser.add_argument("--version", default="1", help="version of the model (default %(default)s)")
    parser.add_argument("--rows", type=int, help="use at most so many sentences of the mixed text")
    parser.add_argument("--vocabulary", type=int, help="keep so many word pieces, the most used ones of the text (default all)")
    parser.add_argument("--tokens-max", type=int, default=128, help="the longest sentence that the package takes, tokens (default %(default)s)")
    parser.add_argument("--eval", type=Path, metavar="FILE", help="scored pairs for the table: score, sentence, sentence with tabs between, or a set's name first")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1, help="processor threads (default %(default)s)")
    parser.add_argument("--dry-run", action="store_true", help="check everything and say what would be done; write nothing")
    return parser


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="distill", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    kinds, common = parser.add_subparsers(dest="kind", required=True), shared()
    fast, exact = StaticSettings(), Settings()
    one = kinds.add_parser("transformer", parents=[common], help="a part of the teacher's layers")
    one.add_argument("--layers", required=True, help="how many layers (the best choice is searched), or which, counted from 0: 0,2,4,5")
    one.add_argument("--feed-forward", type=int, help="keep so many neurons of each layer's feed-forward part (default all)")
    one.add_argument("--epochs", type=int, default=exact.epochs, help="default %(default)s")
    one.add_argument("--batch", type=int, default=exact.batch, help="sentences a step (default %(default)s)")
    one.add_argument("--rate", type=float, default=exact.rate, help="highest learning rate (default %(default)s)")
    two = kinds.add_parser("static", parents=[common], help="one vector a token")
    two.add_argument("--dimensions", type=int, default=256, help="numbers a vector (default %(default)s)")
    two.add_argument("--epochs", type=int, default=fast.epochs, help="default %(default)s")
    two.add_argument("--batch", type=int, default=fast.batch, help="sentences a step (default %(default)s)")
    two.add_argument("--rate", type=float, default=fast.rate, help="highest learning rate (default %(default)s)")
    return parser.parse_args()


def settings(args: argparse.Namespace) -> Settings | StaticSettings:
    """The training settings that the command line chose."""
    base = Settings() if args.kind == "transformer" else StaticSettings()
    return replace(base, epochs=args.epochs, batch=args.batch, rate=args.rate, seed=args.seed)


def main() -> None:
    """Run; what the user can mend ends with one sentence and status 2."""
    args = arguments()
    torch.set_num_threads(args.threads)
    try:
        job = run.prepare(args)
        print(run.plan(args, job), flush=True)
        if args.dry_run:
            print(f"Dry run: would write the package to {args.out}.")
            return
        made = run.transformer if args.kind == "transformer" else run.static_bag
        print(made(args, job, settings(args), asdict(settings(args))))
    except FAULTS as wrong:
        print(f"distill: {wrong}", file=sys.stderr)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
