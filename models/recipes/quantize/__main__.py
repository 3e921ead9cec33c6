"""Store an ONNX graph in fewer bits, and write a table of what that costs and saves against the input.

Schemes
  int8-dynamic   int8 weights, one scale per output column; activations are scaled at run time by the range of the whole batch,
                 so an answer can depend on the other rows of its batch. Needs no data.
  int8-static    int8 weights and activations (QDQ), scales fixed by --calibrate: an answer depends on its own row only.
  fp16           half the bytes; computes in float32.
  int4           weights in blocks of 4 bits (MatMulNBits); computes in float32. Runs in WASM, but slower than float32 there.
  int8-weights   the same with 8 bits.

Takes any ONNX graph with MatMul, Gemm or Conv; one with none of them is refused. Embedding tables become int8 with a scale per row (not for fp16).

Examples
  quantize model.onnx out/model.onnx --scheme int8-dynamic
  quantize model.onnx out/model.onnx --scheme int8-static --calibrate train.jsonl --tokenizer tokenizer.json --eval val.jsonl --labels labels.json
"""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import onnx  # noqa: E402

from quantize.schemes import METHODS, PRODUCTS, SCHEMES, Options, QuantizeError  # noqa: E402
from report.compare import Comparison, compare  # noqa: E402
from report.labelled import DataError, Reader, samples  # noqa: E402


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="quantize", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="the float32 graph, .onnx")
    parser.add_argument("out", type=Path, help="the graph to write; table.json and table.md go beside it")
    parser.add_argument("--scheme", required=True, choices=list(SCHEMES))
    parser.add_argument("--calibrate", type=Path, metavar="FILE", help="int8-static: samples, .npz of arrays under the input names or .jsonl of {\"text\"}")
    parser.add_argument("--samples", type=int, default=300, help="int8-static: read at most so many samples (default 300)")
    parser.add_argument("--method", choices=list(METHODS), default="minmax", help="int8-static: how ranges are chosen (default minmax)")
    parser.add_argument("--per-tensor", action="store_true", help="int8: one scale for a whole weight instead of one per column")
    parser.add_argument("--seven-bit", action="store_true", help="int8: weights in 7 bits, which x86 CPUs without VNNI need for exact sums")
    parser.add_argument("--exclude", nargs="*", default=[], metavar="NODE", help="names of nodes that stay as they are")
    parser.add_argument("--block", type=int, default=32, choices=(16, 32, 64, 128), help="int4, int8-weights: numbers that share a scale (default 32)")
    Comparison.add_arguments(parser)
    parser.add_argument("--dry-run", action="store_true", help="check everything and say what would be done; write nothing")
    return parser.parse_args()


def read_graph(path: Path) -> onnx.ModelProto:
    """The graph, or a sentence saying why not."""
    if not path.is_file():
        raise QuantizeError(f"{path} is missing.")
    try:
        graph = onnx.load(path)
    except Exception as broken:  # The parser raises several kinds; the file is the user's.
        raise QuantizeError(f"{path} is not an ONNX graph: {broken}") from None
    kinds = {node.op_type for node in graph.graph.node}
    if kinds & {"DequantizeLinear", "MatMulInteger", "MatMulNBits", "QLinearMatMul"}:
        raise QuantizeError(f"{path} is quantised already: give the float32 graph.")
    if not kinds & set(PRODUCTS):
        raise QuantizeError(f"{path} has none of {', '.join(PRODUCTS)}: there is nothing to quantise.")
    return graph


def run(args: argparse.Namespace) -> None:
    """Check, quantise, compare."""
    graph = read_graph(args.model)
    unknown = sorted(set(args.exclude) - {node.name for node in graph.graph.node})
    if unknown:
        raise QuantizeError(f"--exclude names no node of the graph: {', '.join(unknown)}.")
    reader = Reader(args.model, args.tokenizer, args.tokens_max)
    given = samples(args.calibrate, reader, args.samples) if args.calibrate else []
    options = Options(not args.per_tensor, args.seven_bit, tuple(args.exclude), args.method, args.block, tuple(given))
    if args.scheme == "int8-static" and not given:
        raise QuantizeError("int8-static needs --calibrate FILE: samples of real inputs, as .npz or .jsonl.")
    comparison = Comparison.of(args, reader)
    count = sum(node.op_type in PRODUCTS for node in graph.graph.node)
    print(f"{args.model}: {args.model.stat().st_size:,} bytes, {count} products; {args.scheme}, {len(given)} calibration samples.", flush=True)
    if args.dry_run:
        print(f"Dry run: would write {args.out} and table.json, table.md beside it.")
        return
    made = SCHEMES[args.scheme](graph, options)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_bytes(made.SerializeToString(deterministic=True))
    print(f"Wrote {args.out}: {args.out.stat().st_size:,} bytes. Comparing …", flush=True)
    print(compare({"input": args.model, args.scheme: args.out}, [comparison] * 2, args.out.parent))


def main() -> None:
    """Run; what the user can mend ends with one sentence and status 2."""
    logging.getLogger().setLevel(logging.ERROR)  # The library warns of a step that these graphs don't need.
    try:
        run(arguments())
    except (QuantizeError, DataError) as wrong:
        print(f"quantize: {wrong}", file=sys.stderr)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
