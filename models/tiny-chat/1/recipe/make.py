"""Make the model from the text: train, then export, measure and write every shipped file.

    python make.py --data DIR --work WORK            # all of it
    python make.py --data DIR --work WORK --from package   # re-use the trained checkpoint in WORK
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from safetensors.torch import save_file

from bpe import train_tokenizer
from corpus import SOURCE, Speech, data_file, parse, split
from package import package
from train import fit

VOCAB = 1024


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help=f"folder with {SOURCE}; or set LEDGE_DATA")
    parser.add_argument("--work", required=True, type=Path, help="folder for the checkpoint (made if missing)")
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent.parent, help="the model folder to write")
    parser.add_argument("--from", dest="start", choices=["train", "package"], default="train", help="first stage to run")
    parser.add_argument("--seed", type=int, default=20)
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


def train_stage(args: argparse.Namespace, parts: dict[str, list[Speech]]) -> None:
    """Train tokenizer and weights; leave both in the work folder."""
    tokenizer = train_tokenizer(parts["train"], VOCAB)
    model, history = fit(tokenizer, parts["train"], parts["val"], args.seed)
    args.work.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(args.work / "tokenizer.json"))
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, args.work / "checkpoint.safetensors")
    (args.work / "training.json").write_text(json.dumps(history | {"seed": args.seed}))


def main() -> None:
    """Run the stages asked for and print what was measured."""
    args = arguments()
    torch.set_num_threads(args.threads)
    parts = split(parse(data_file(args.data).read_text(encoding="utf-8")))
    if args.start == "train":
        train_stage(args, parts)
    print(json.dumps(package(args.work, args.out, parts, args.threads), indent=2))


if __name__ == "__main__":
    main()
