"""Write the verifier as one float32 ONNX graph of plain operators: input_ids int32 [batch, length] -> logits float32 [batch, 2]."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from classify.encoder import BLOCKED
from classify.graph import OPSET, Graph, block
from network import LABELS, SURE, TOKENS_MAX, Verifier

EXACT = ("shared.product", "bias.drawn", "logits.product")
"""Products that stay in float32: small, and the answer hangs on them."""


class PairGraph(Graph):
    """Results are named after what they hold."""

    def const(self, name: str, value: np.ndarray) -> str:
        """Add an initialiser once; a single number stays one without axes."""
        self.values.setdefault(name, np.array(value, order="C"))
        return name

    def cast(self, source: str, kind: int, to: str) -> str:
        """Another number type."""
        self.nodes.append(helper.make_node("Cast", [source], [to], name=to, to=kind))
        return to

    def whole(self, name: str, value: int) -> str:
        """An int32 number."""
        return self.const(name, np.array(value, np.int32))

    def number(self, name: str, value: float) -> str:
        """A float32 number."""
        return self.const(name, np.array(value, np.float32))


def sides(g: PairGraph, ends: str) -> tuple[str, str]:
    """To each token its prompt, 0 or 1, and its place there; both int32 [batch, length]."""
    passed = g.op("CumSum", ends, g.const("axis_1", np.array(1, np.int64)), to="passed", exclusive=1)
    second = g.op("Greater", passed, g.whole("none", 0), to="second")
    side = g.cast(second, TensorProto.INT32, "side")
    first = g.op("ReduceSum", g.op("Sub", g.whole("unit", 1), side, to="in.first"), g.ints(1), to="first.length", keepdims=1)
    length = g.op("Gather", g.op("Shape", "input_ids", to="sizes"), g.const("index_1", np.array(1, np.int64)), to="length", axis=0)
    every = g.op("Range", g.const("long_0", np.array(0, np.int64)), length, g.const("long_1", np.array(1, np.int64)), to="every")
    shift = g.op("Mul", side, g.op("Sub", first, "unit", to="first.less"), to="shift")
    return side, g.op("Sub", g.cast(every, TensorProto.INT32, "every.int32"), shift, to="place")


def compared(g: PairGraph, side: str, separators: str, filling: str, words: str, start_id: int) -> list[str]:
    """Three of [batch, length, length]: 1 where tokens of different prompts are the same, 1 where they are of different prompts, and the cosine of their words.

    For the first and the last, a special token is like no other.
    """
    start = g.op("Equal", "input_ids", g.whole("start_id", start_id), to="starts")
    own = g.op("Not", g.op("Or", g.op("Or", separators, filling, to="special.some"), start, to="special"), to="own")
    cross = lambda source, name: (g.op("Unsqueeze", source, g.ints(2), to=f"{name}.down"), g.op("Unsqueeze", source, g.ints(1), to=f"{name}.along"))
    apart = g.op("Not", g.op("Equal", *cross(side, "side"), to="together"), to="apart.bool")
    across = g.op("And", g.op("And", *cross(own, "own"), to="own.both"), apart, to="across.bool")
    same = g.op("And", g.op("Equal", *cross("input_ids", "ids"), to="same.anywhere"), across, to="equal.bool")
    length = g.op("Sqrt", g.op("ReduceSum", g.op("Mul", words, words, to="words.squares"), g.ints(2), to="words.sum", keepdims=1), to="words.length")
    unit = g.op("Div", words, g.op("Max", length, g.number("tiny", 1e-12), to="words.length.safe"), to="words.unit")
    cosine = g.op("MatMul", unit, g.op("Transpose", unit, to="words.unit.t", perm=[0, 2, 1]), to="cosine")
    near = g.op("Mul", cosine, g.cast(across, TensorProto.FLOAT, "across"), to="near")
    return [g.cast(same, TensorProto.FLOAT, "equal"), g.cast(apart, TensorProto.FLOAT, "apart"), near]


def neighbours(g: PairGraph, equal: str, name: str, before: bool) -> str:
    """`equal`, where the tokens before (or after) are equal as well."""
    ends = (g.ints(0, 0), g.ints(-1, -1)) if before else (g.ints(1, 1), g.const("far_2", np.array([2**31 - 1] * 2, np.int64)))
    cut = g.op("Slice", equal, *ends, g.ints(1, 2), to=f"{name}.cut")
    pads = g.ints(0, 1, 1, 0, 0, 0) if before else g.ints(0, 0, 0, 0, 1, 1)
    return g.op("Mul", equal, g.op("Pad", cut, pads, to=f"{name}.moved"), to=name)


def rows(g: PairGraph, name: str, weights: dict[str, np.ndarray], ids: str) -> str:
    """Rows of a table."""
    return g.op("Gather", g.const(f"{name}.weight", weights[f"{name}.weight"]), ids, to=f"{name}.rows", axis=0)


def embedded(g: PairGraph, weights: dict[str, np.ndarray], words: str, side: str, place: str, equal: str, near: str, eps: float) -> str:
    """Token vectors [batch, length, width] with all that they are told."""
    parts = [equal, neighbours(g, equal, "equal.before", True), neighbours(g, equal, "equal.after", False), near]
    largest = [g.op("ReduceMax", part, g.ints(2), to=f"{part}.any", keepdims=1) for part in parts]
    shared = g.op("MatMul", g.op("Concat", *largest, to="shared.parts", axis=2), g.const("shared.weight", weights["shared"]), to="shared.product")
    x = g.op("Add", words, rows(g, "positions", weights, place), to="embedded.placed")
    sided = g.op("Add", x, rows(g, "types", weights, side), to="embedded.sided")
    return g.norm(g.op("Add", sided, shared, to="embedded"), "norm", weights, eps)


def biases(g: PairGraph, kinds: list[str], bias: str, toward: np.ndarray) -> list[str]:
    """What each layer adds to its scores, [batch, heads, length, length]; for all layers by one product. toward: [layers, kinds, heads]."""
    stacked = g.op("Concat", *(g.op("Unsqueeze", kind, g.ints(1), to=f"{kind}.kind") for kind in kinds), to="kinds", axis=1)
    lifts = toward.transpose(0, 2, 1).reshape(-1, len(kinds), 1, 1)
    drawn = g.op("Conv", stacked, g.const("toward.weight", lifts), to="bias.drawn", kernel_shape=[1, 1])
    made = [f"bias.{at}" for at in range(len(toward))]
    g.nodes.append(helper.make_node("Split", [g.op("Add", drawn, bias, to="bias.all")], made, name="bias.split", axis=1, num_outputs=len(made)))
    return made


def pooled(g: PairGraph, x: str, filling: str) -> str:
    """First, mean and largest token vector, [batch, 3 x width]."""
    zero, one = g.number("float_zero", 0), g.number("float_one", 1)
    real = g.op("Unsqueeze", g.op("Where", filling, zero, one, to="real"), g.ints(1), to="real.across")
    total = g.op("ReduceSum", real, g.ints(2), to="count", keepdims=0)
    mean = g.op("Div", g.op("Squeeze", g.op("MatMul", real, x, to="summed.wide"), g.ints(1), to="summed"), total, to="mean")
    lowered = g.op("Add", x, g.op("Unsqueeze", "bias", g.ints(2), to="bias.down"), to="lowered")
    largest = g.op("ReduceMax", lowered, g.ints(1), to="largest", keepdims=0)
    first = g.op("Gather", x, g.const("long_0", np.array(0, np.int64)), to="first", axis=1)
    return g.op("Concat", first, mean, largest, to="pooled", axis=1)


def refused(g: PairGraph, ends: str, filling: str) -> str:
    """What to add to the logits of rows that aren't two whole prompts, [batch, 2]."""
    count = g.op("ReduceSum", ends, g.ints(1), to="ends.count", keepdims=1)
    real = g.cast(g.op("Not", filling, to="real.bool"), TensorProto.INT32, "real.int32")
    long = g.op("GreaterOrEqual", g.op("ReduceSum", real, g.ints(1), to="real.count", keepdims=1), g.whole("tokens_max", TOKENS_MAX), to="long")
    odd = g.op("Or", g.op("Not", g.op("Equal", count, g.whole("two", 2), to="two.ends"), to="odd.ends"), long, to="broken")
    return g.op("Mul", g.cast(odd, TensorProto.FLOAT, "broken.float"), g.const("refusal", np.array([[2 * SURE, -2 * SURE]], np.float32)), to="refused")


def build(model: Verifier) -> onnx.ModelProto:
    """The graph of a trained verifier."""
    weights = {name: value.detach().numpy() for name, value in model.state_dict().items()}
    weights["positions.weight"] = weights["positions.weight"][:TOKENS_MAX]
    g = PairGraph()
    filling = g.op("Equal", "input_ids", g.whole("none", 0), to="filling")
    separators = g.op("Equal", "input_ids", g.whole("separator_id", model.separator), to="separators")
    ends = g.cast(separators, TensorProto.INT32, "ends")
    side, place = sides(g, ends)
    words = rows(g, "words", weights, "input_ids")
    kinds = compared(g, side, separators, filling, words, model.config["start_id"])
    g.op("Where", filling, g.number("blocked", BLOCKED), g.number("float_zero", 0), to="bias")
    bias = g.op("Unsqueeze", "bias", g.ints(1, 2), to="bias.wide")
    x = embedded(g, weights, words, side, place, kinds[0], kinds[2], model.norm.eps)
    for at, (layer, own) in enumerate(zip(model.layers, biases(g, kinds, bias, weights["toward"]))):
        x = block(g, x, own, f"layers.{at}", layer, weights)
    plain = g.dense(pooled(g, x, filling), "logits", weights["classifier.weight"].T, weights["classifier.bias"])
    made = g.op("Add", plain, refused(g, ends, filling), to="verdict")
    values = [numpy_helper.from_array(value, name) for name, value in g.values.items()]
    ids = helper.make_tensor_value_info("input_ids", TensorProto.INT32, ["batch", "length"])
    result = helper.make_tensor_value_info(made, TensorProto.FLOAT, ["batch", len(LABELS)])
    graph = helper.make_graph(g.nodes, "verifier", [ids], [result], values)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9, producer_name="ledge")


def save(model: Verifier, path: Path) -> None:
    """Check and write the graph; the same weights give the same bytes."""
    made = build(model)
    onnx.checker.check_model(made, full_check=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(made.SerializeToString(deterministic=True))
