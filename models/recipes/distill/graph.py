"""Write a student as one ONNX graph of plain operators, in float32 or with int8 weights.

Why by hand: the products run on whole numbers, yet what a sentence gets must not depend on the others of its batch. So the activations
are scaled at run time *by token* (the usual dynamic scheme scales the whole tensor, other rows included), and the weights by output
column. Activations become unsigned numbers around 128: WebAssembly has a fast path for unsigned times signed only. Weights use 7 of the 8 bits: on processors without int8 dot products, and in WebAssembly, pairs of 8-bit products may
overflow their 16-bit sum, and the answer would depend on the machine.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from distill.static import Bag
from distill.student import Shape, Student

OPSET, LEVELS, ROW_LEVELS, MIDDLE = 20, 63, 127, 128
Weights = dict[str, np.ndarray]


class Graph:
    """Collects nodes and initialisers; every method returns the name of its result."""

    def __init__(self, int8: bool) -> None:
        self.int8, self.nodes, self.values = int8, [], {}

    def op(self, kind: str, *inputs: str, to: str | None = None, **attributes) -> str:
        """Add a node with one output."""
        result = to or f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [result], name=f"{kind}_{len(self.nodes)}", **attributes))
        return result

    def const(self, name: str, value: np.ndarray) -> str:
        """Add an initialiser once."""
        self.values.setdefault(name, np.ascontiguousarray(value))
        return name

    def ints(self, *numbers: int) -> str:
        """A list of int64 numbers."""
        return self.const("ints_" + "_".join(map(str, numbers)).replace("-", "m"), np.array(numbers, np.int64))

    def number(self, name: str, value: float) -> str:
        """One float32 number."""
        return self.const(name, np.array(value, np.float32))

    def cast(self, source: str, kind: int) -> str:
        """Change the number type."""
        result = f"Cast_{len(self.nodes)}"
        self.nodes.append(helper.make_node("Cast", [source], [result], name=result, to=kind))
        return result

    def rows(self, table: str, ids: str, value: np.ndarray) -> str:
        """Rows of a table [rows, width]; as int8 with one scale a row if asked for."""
        if not self.int8:
            return self.op("Gather", self.const(table, value), ids, axis=0)
        whole, scale = whole_numbers(value, axis=1, levels=ROW_LEVELS)
        wide = self.cast(self.op("Gather", self.const(f"{table}.int8", whole), ids, axis=0), TensorProto.FLOAT)
        return self.op("Mul", wide, self.op("Gather", self.const(f"{table}.scale", scale), ids, axis=0))

    def dense(self, x: str, name: str, weights: Weights) -> str:
        """x [tokens, in] times the weight, plus the bias."""
        weight, bias = weights[f"{name}.weight"].T, self.const(f"{name}.bias", weights[f"{name}.bias"])
        if not self.int8:
            return self.op("Add", self.op("MatMul", x, self.const(f"{name}.weight", weight)), bias)
        whole, scale = whole_numbers(weight, axis=0, levels=LEVELS)
        largest = self.op("ReduceMax", self.op("Abs", x), self.ints(1), keepdims=1)
        step = self.op("Mul", self.op("Max", largest, self.number("tiny", 1e-9)), self.number("level", 1 / ROW_LEVELS))
        lifted = self.op("Add", self.op("Div", x, step), self.number("half_up", MIDDLE + 0.5))
        rounded = self.cast(lifted, TensorProto.UINT8)
        middle = self.const("middle", np.array(MIDDLE, np.uint8))
        product = self.cast(self.op("MatMulInteger", rounded, self.const(f"{name}.int8", whole), middle), TensorProto.FLOAT)
        return self.op("Add", self.op("Mul", self.op("Mul", product, step), self.const(f"{name}.scale", scale)), bias)

    def norm(self, x: str, name: str, weights: Weights, epsilon: float) -> str:
        """Layer normalisation over the last axis."""
        scale, bias = (self.const(f"{name}.{kind}", weights[f"{name}.{kind}"]) for kind in ("weight", "bias"))
        return self.op("LayerNormalization", x, scale, bias, axis=-1, epsilon=epsilon)

    def unit(self, x: str) -> str:
        """Rows at length 1, under the name `embedding`; a row of zeros stays zeros."""
        length = self.op("Sqrt", self.op("ReduceSum", self.op("Mul", x, x), self.ints(-1), keepdims=1))
        return self.op("Div", x, self.op("Max", length, self.number("tiny", 1e-9)), to="embedding")


def whole_numbers(value: np.ndarray, axis: int, levels: int) -> tuple[np.ndarray, np.ndarray]:
    """int8 numbers from -levels to levels, and the float32 scales along `axis` that bring them back. Zeros get the scale 0."""
    scale = np.abs(value).max(axis=axis, keepdims=True) / levels
    whole = np.rint(value / np.where(scale > 0, scale, 1)).clip(-levels, levels)
    return whole.astype(np.int8), scale.astype(np.float32)


def attention(g: Graph, x: str, blocked: str, sizes: str, heads: int, width: int) -> str:
    """From query, key and value [tokens, 3 x width] to the mixed values [tokens, width]. `sizes` is the shape [batch, length]."""
    wide = g.op("Reshape", x, g.op("Concat", sizes, g.ints(3, heads, width // heads), axis=0))
    parts = [f"{x}.{part}" for part in "qkv"]
    g.nodes.append(helper.make_node("Split", [g.op("Transpose", wide, perm=[2, 0, 3, 1, 4])], parts, axis=0, num_outputs=3))
    q, k, v = (g.op("Squeeze", part, g.ints(0)) for part in parts)
    q = g.op("Mul", q, g.number("shrink", (width // heads) ** -0.5))
    scores = g.op("Add", g.op("MatMul", q, g.op("Transpose", k, perm=[0, 1, 3, 2])), blocked)
    mixed = g.op("Transpose", g.op("MatMul", g.op("Softmax", scores, axis=-1), v), perm=[0, 2, 1, 3])
    return g.op("Reshape", mixed, g.ints(-1, width))


def transformer(g: Graph, weights: Weights, shape: Shape) -> str:
    """Ids to the embedding of each sentence."""
    filling = g.op("Equal", "input_ids", g.const("pad", np.array(0, np.int32)))
    zero, one, far = (g.number(name, value) for name, value in (("zero", 0.0), ("one", 1.0), ("far", -1e4)))
    blocked = g.op("Unsqueeze", g.op("Where", filling, far, zero), g.ints(1, 2))
    sizes = g.op("Shape", "input_ids")
    length = g.op("Slice", sizes, g.ints(1), g.ints(2))
    places = g.op("Slice", g.const("positions", weights["positions.weight"]), g.ints(0), length, g.ints(0))
    x = g.op("Add", g.rows("table", "input_ids", weights["table.weight"]), places)
    x = g.norm(g.op("Reshape", x, g.ints(-1, shape.width)), "norm", weights, shape.epsilon)
    for at in range(shape.layers):
        part = f"blocks.{at}."
        mixed = attention(g, g.dense(x, f"{part}qkv", weights), blocked, sizes, shape.heads, shape.width)
        x = g.norm(g.op("Add", x, g.dense(mixed, f"{part}out", weights)), f"{part}norm_1", weights, shape.epsilon)
        lifted = g.op("Gelu", g.dense(x, f"{part}up", weights))
        x = g.norm(g.op("Add", x, g.dense(lifted, f"{part}down", weights)), f"{part}norm_2", weights, shape.epsilon)
    x = g.op("Reshape", x, g.op("Concat", sizes, g.ints(shape.width), axis=0))
    if shape.pool == "first":
        return g.unit(g.op("Gather", x, g.const("start", np.array(0, np.int64)), axis=1))
    counts = g.op("Unsqueeze", g.op("Where", filling, zero, one), g.ints(1))
    return g.unit(g.op("Squeeze", g.op("MatMul", counts, x), g.ints(1)))  # The sum: at length 1 it is the mean.


def finish(g: Graph, width: int) -> onnx.ModelProto:
    """A checked model: input_ids int32 [batch, length] to embedding float32 [batch, width]."""
    ids = helper.make_tensor_value_info("input_ids", TensorProto.INT32, ["batch", "length"])
    made = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", width])
    values = [numpy_helper.from_array(value, name) for name, value in g.values.items()]
    graph = helper.make_graph(g.nodes, "embedder", [ids], [made], values)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9, producer_name="ledge")
    onnx.checker.check_model(model, full_check=True)
    return model


def of_student(student: Student, int8: bool) -> onnx.ModelProto:
    """The graph of a transformer student."""
    g = Graph(int8)
    transformer(g, {name: value.detach().numpy() for name, value in student.state_dict().items()}, student.shape)
    return finish(g, student.shape.width)


def of_bag(bag: Bag, int8: bool) -> onnx.ModelProto:
    """The graph of a static student. Row 0, the pad, is zero: padding adds nothing."""
    table = bag.table.detach().numpy().copy()
    table[0] = 0
    g = Graph(int8)
    g.unit(g.op("ReduceSum", g.rows("table", "input_ids", table), g.ints(1), keepdims=0))
    return finish(g, table.shape[1])


def save(model: onnx.ModelProto, path: Path) -> None:
    """The same weights give the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model.SerializeToString(deterministic=True))
