"""Make a model smaller by taking parts out, and write a table of what that costs and saves against the input.

  prune layers     CHECKPOINT OUT --keep 0,2,5 | --count 3      whole layers, by number or the strongest by magnitude
  prune heads      CHECKPOINT OUT --count 8                     attention heads: the strongest of each layer by magnitude
  prune vocabulary CHECKPOINT OUT --keep 12000 --corpus FILE    embedding rows, with the tokenizer.json
  prune vocabulary MODEL.onnx OUT --keep 12000 --corpus FILE --tokenizer tokenizer.json

CHECKPOINT is a folder as Hugging Face lays it out (config.json, model.safetensors, tokenizer.json) with an encoder of the BERT family; OUT
becomes such a folder. With fewer heads than before it is read by these recipes only: `transformers` derives the head size from their number.
MODEL.onnx is any graph that gathers its token vectors from one table (float or int8) and whose tokenizer is WordPiece; OUT gets
model.onnx and tokenizer.json. A pruned model has usually lost accuracy, which fine-tuning or distilling brings back: the table says how much.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import onnx  # noqa: E402

from classify import checkpoint, graph  # noqa: E402
from classify.encoder import Encoder  # noqa: E402
from prune import graph_rows, layers, vocabulary  # noqa: E402
from report.compare import Comparison, compare  # noqa: E402
from report.labelled import DataError, Reader  # noqa: E402

Model = tuple[dict, checkpoint.Weights]


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="prune", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = parser.add_subparsers(dest="part", required=True)
    for name, kept in (("layers", "layer numbers, in the order wanted: 0,2,5"), ("heads", None), ("vocabulary", "how many pieces stay")):
        part = parts.add_parser(name)
        part.add_argument("model", type=Path, help="checkpoint folder" + (", or .onnx file" if name == "vocabulary" else ""))
        part.add_argument("out", type=Path, help="folder to write; table.json and table.md go there too")
        if kept:
            part.add_argument("--keep", required=name == "vocabulary", help=kept)
        if name != "vocabulary":
            part.add_argument("--count", type=int, required=name == "heads", help="how many stay, the strongest by magnitude")
        else:
            part.add_argument("--corpus", type=Path, nargs="+", default=[], metavar="FILE", help="plain text, a sentence a line: its pieces stay first")
        Comparison.add_arguments(part)
        part.add_argument("--dry-run", action="store_true", help="check everything and say what would be done; write nothing")
    return parser.parse_args()


def pruned(args: argparse.Namespace, model: Model) -> Model:
    """The model without some of its layers or heads."""
    config, weights = model
    if args.part == "heads":
        return layers.keep_heads(config, weights, args.count)
    if (args.keep is None) == (args.count is None):
        raise layers.PruneError("Give either --keep or --count.")
    try:
        kept = [int(number) for number in args.keep.split(",")] if args.keep else layers.strongest_layers(weights, args.count)
    except ValueError:
        raise layers.PruneError("--keep takes layer numbers with commas between them: 0,2,5.") from None
    print(f"Layers that stay: {', '.join(map(str, kept))}.", flush=True)
    return layers.keep_layers(config, weights, kept)


def new_tokenizer(args: argparse.Namespace, path: Path) -> tuple[dict, list[int], int]:
    """The cut tokenizer.json, the old ids that stay, and how many there were."""
    described = vocabulary.read_tokenizer(path)
    for file in args.corpus:
        if not file.is_file():
            raise DataError(f"{file} is missing.")
    lines = (line for file in args.corpus for line in file.read_text(encoding="utf-8").splitlines())
    if not args.keep.isdigit():
        raise layers.PruneError("--keep takes the number of pieces that stay.")
    kept = vocabulary.kept_ids(described, vocabulary.count_pieces(described, lines), int(args.keep))
    return vocabulary.renumbered(described, kept), kept, len(described["model"]["vocab"])


def exported(folder: Path, out: Path, labels: int) -> Path:
    """The checkpoint as a graph, for measuring: logits, or pooled vectors when it has no classifier."""
    config, weights = checkpoint.read(folder)
    graph.save(Encoder(config, weights, labels).eval(), min(512, config["max_position_embeddings"]), out)
    return out


def report(args: argparse.Namespace) -> str:
    """Table of the input against the result."""
    _, weights = checkpoint.read(args.model)
    labels = weights["classifier.weight"].shape[0] if "classifier.weight" in weights else 0
    with tempfile.TemporaryDirectory() as temporary:
        before, after = (exported(f, Path(temporary) / f"{i}.onnx", labels) for i, f in enumerate((args.model, args.out)))
        readers = [Reader(path, folder / "tokenizer.json", args.tokens_max) for path, folder in ((before, args.model), (after, args.out))]
        sets = [Comparison.of(args, reader) if labels else Comparison() for reader in readers]
        return compare({"input": before, args.part: after}, sets, args.out)


def on_checkpoint(args: argparse.Namespace) -> None:
    """Prune a checkpoint folder."""
    config, weights = checkpoint.read(args.model)
    described = None
    if args.part == "vocabulary":
        described, kept, before = new_tokenizer(args, args.tokenizer or args.model / "tokenizer.json")
        name = "embeddings.word_embeddings.weight"
        if weights[name].shape[0] < before:
            raise layers.PruneError(f"The model has {weights[name].shape[0]} embedding rows, fewer than the tokenizer's {before} pieces.")
        config, weights = config | {"vocab_size": len(kept)}, weights | {name: weights[name][kept].clone()}
    else:
        config, weights = pruned(args, (config, weights))
    count = sum(value.numel() for value in weights.values())
    print(f"{args.part}: {count:,} numbers stay.", flush=True)
    if args.dry_run:
        print(f"Dry run: would write {args.out}.")
        return
    if described:
        args.out.mkdir(parents=True, exist_ok=True)
        checkpoint.write_json(args.out / "tokenizer.json", described, indent=None)
    checkpoint.write(args.out, config, weights, args.model)
    print(report(args))


def on_graph(args: argparse.Namespace) -> None:
    """Prune the vocabulary of an ONNX graph."""
    if args.part != "vocabulary":
        raise layers.PruneError(f"prune {args.part} takes a checkpoint folder, not a graph.")
    if not args.tokenizer:
        raise layers.PruneError("A graph needs --tokenizer FILE: the tokenizer.json that belongs to it.")
    described, kept, before = new_tokenizer(args, args.tokenizer)
    made = graph_rows.keep_rows(onnx.load(args.model), kept, before)
    print(f"vocabulary: {len(kept):,} of {before:,} pieces stay.", flush=True)
    if args.dry_run:
        print(f"Dry run: would write {args.out}.")
        return
    args.out.mkdir(parents=True, exist_ok=True)
    checkpoint.write_json(args.out / "tokenizer.json", described, indent=None)
    (args.out / "model.onnx").write_bytes(made.SerializeToString(deterministic=True))
    graphs = {"input": args.model, "vocabulary": args.out / "model.onnx"}
    tokenizers = (args.tokenizer, args.out / "tokenizer.json")
    sets = [Comparison.of(args, Reader(path, file, args.tokens_max)) for path, file in zip(graphs.values(), tokenizers)]
    print(compare(graphs, sets, args.out))


def main() -> None:
    """Run; what the user can mend ends with one sentence and status 2."""
    args = arguments()
    try:
        (on_graph if args.model.suffix == ".onnx" else on_checkpoint)(args)
    except (checkpoint.CheckpointError, layers.PruneError, vocabulary.VocabularyError, DataError) as wrong:
        print(f"prune: {wrong}", file=sys.stderr)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
