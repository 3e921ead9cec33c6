"""Write an encoder with its classification head as one float32 ONNX graph of plain operators.

Why by hand: one product for query, key and value, a mask made from the ids themselves (so there is one input), and names that
stay the same from run to run, which `quantize` and the tests rely on.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from classify.encoder import BLOCKED, Encoder, Layer

OPSET = 20


class Graph:
    """Collects nodes and initialisers; every method returns the name of its result."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.values: dict[str, np.ndarray] = {}

    def op(self, kind: str, *inputs: str, to: str, **attributes: object) -> str:
        """Add a node with one output, named as its result."""
        self.nodes.append(helper.make_node(kind, list(inputs), [to], name=to, **attributes))
        return to

    def const(self, name: str, value: np.ndarray) -> str:
        """Add an initialiser once."""
        self.values.setdefault(name, np.ascontiguousarray(value))
        return name

    def ints(self, *numbers: int) -> str:
        """A list of int64 numbers."""
        return self.const("ints_" + "_".join(map(str, numbers)).replace("-", "m"), np.array(numbers, np.int64))

    def dense(self, x: str, name: str, weight: np.ndarray, bias: np.ndarray) -> str:
        """x [..., in] times weight [in, out], plus bias [out]."""
        product = self.op("MatMul", x, self.const(f"{name}.weight", weight), to=f"{name}.product")
        return self.op("Add", product, self.const(f"{name}.bias", bias), to=name)

    def norm(self, x: str, name: str, weights: dict[str, np.ndarray], eps: float) -> str:
        """Layer normalisation over the last axis."""
        scale, bias = (self.const(f"{name}.{part}", weights[f"{name}.{part}"]) for part in ("weight", "bias"))
        return self.op("LayerNormalization", x, scale, bias, to=name, axis=-1, epsilon=eps)


def attention(g: Graph, x: str, bias: str, name: str, layer: Layer, weights: dict[str, np.ndarray]) -> str:
    """Mixed token vectors [batch, length, attended], before the output product. The 1/sqrt(head) lies in the query's weights."""
    attended, head, shrink = layer.query.out_features, layer.head, layer.head**-0.5
    parts = [(weights[f"{name}.{p}.weight"].T, weights[f"{name}.{p}.bias"]) for p in ("query", "key", "value")]
    parts[0] = (parts[0][0] * np.float32(shrink), parts[0][1] * np.float32(shrink))
    joined = g.dense(x, f"{name}.qkv", np.concatenate([w for w, _ in parts], 1), np.concatenate([b for _, b in parts]))
    sides = [f"{name}.{p}" for p in ("q", "k", "v")]
    g.nodes.append(helper.make_node("Split", [joined], sides, name=f"{name}.split", axis=-1, num_outputs=3))
    split = [g.op("Reshape", side, g.ints(0, 0, -1, head), to=f"{side}.heads") for side in sides]
    q, v = (g.op("Transpose", split[i], to=f"{sides[i]}.t", perm=[0, 2, 1, 3]) for i in (0, 2))
    k = g.op("Transpose", split[1], to=f"{sides[1]}.t", perm=[0, 2, 3, 1])
    scores = g.op("Add", g.op("MatMul", q, k, to=f"{name}.qk"), bias, to=f"{name}.scores")
    chances = g.op("Softmax", scores, to=f"{name}.chances", axis=-1)
    mixed = g.op("Transpose", g.op("MatMul", chances, v, to=f"{name}.mixed"), to=f"{name}.mixed.t", perm=[0, 2, 1, 3])
    return g.op("Reshape", mixed, g.ints(0, 0, attended), to=f"{name}.joined")


def block(g: Graph, x: str, bias: str, name: str, layer: Layer, weights: dict[str, np.ndarray]) -> str:
    """One encoder layer."""
    eps = layer.mix_norm.eps
    dense = lambda source, part: g.dense(source, f"{name}.{part}", weights[f"{name}.{part}.weight"].T, weights[f"{name}.{part}.bias"])
    mixed = dense(attention(g, x, bias, name, layer, weights), "mix")
    x = g.norm(g.op("Add", x, mixed, to=f"{name}.mix.sum"), f"{name}.mix_norm", weights, eps)
    lifted = g.op("Gelu", dense(x, "up"), to=f"{name}.gelu")
    return g.norm(g.op("Add", x, dense(lifted, "down"), to=f"{name}.down.sum"), f"{name}.down_norm", weights, eps)


def embedded(g: Graph, weights: dict[str, np.ndarray], tokens_max: int, eps: float) -> str:
    """Token vectors [batch, length, width]; the one token type in use is added to the positions."""
    length = g.op("Shape", "input_ids", to="length", start=1)
    places = weights["positions.weight"][:tokens_max] + weights["types.weight"][0]
    place = g.op("Slice", g.const("positions.weight", places), g.ints(0), length, g.ints(0), to="places")
    words = g.op("Gather", g.const("words.weight", weights["words.weight"]), "input_ids", to="words", axis=0)
    return g.norm(g.op("Add", words, place, to="embedded"), "norm", weights, eps)


def build(model: Encoder, tokens_max: int, pad: int = 0) -> onnx.ModelProto:
    """The graph: input_ids int32 [batch, length up to tokens_max] -> logits float32 [batch, labels] (pooled [batch, width] without labels).

    `pad` marks filling.
    """
    weights = {name: value.detach().numpy() for name, value in model.state_dict().items()}
    g = Graph()
    filling = g.op("Equal", "input_ids", g.const("pad", np.array(pad, np.int32)), to="filling")
    blocked, one, zero = (g.const(f"float_{n}", np.array(v, np.float32)) for n, v in (("blocked", BLOCKED), ("one", 1), ("zero", 0)))
    bias = g.op("Unsqueeze", g.op("Where", filling, blocked, zero, to="bias"), g.ints(1, 2), to="bias.wide")
    x = embedded(g, weights, tokens_max, model.norm.eps)
    for number, layer in enumerate(model.layers):
        x = block(g, x, bias, f"layers.{number}", layer, weights)
    real = g.op("Unsqueeze", g.op("Where", filling, zero, one, to="real"), g.ints(1), to="real.wide")
    total = g.op("ReduceSum", real, g.ints(2), to="count", keepdims=0)
    summed = g.op("Squeeze", g.op("MatMul", real, x, to="summed.wide"), g.ints(1), to="summed")
    out = g.op("Div", summed, total, to="pooled")
    if "classifier.weight" in weights:
        out = g.dense(out, "logits", weights["classifier.weight"].T, weights["classifier.bias"])
    values = [numpy_helper.from_array(value, name) for name, value in g.values.items()]
    ids = helper.make_tensor_value_info("input_ids", TensorProto.INT32, ["batch", "length"])
    size = model.classifier.out_features if out == "logits" else model.words.embedding_dim
    result = helper.make_tensor_value_info(out, TensorProto.FLOAT, ["batch", size])
    graph = helper.make_graph(g.nodes, "classifier", [ids], [result], values)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9, producer_name="ledge")


def save(model: Encoder, tokens_max: int, path: Path) -> None:
    """Check and write the graph; the same weights give the same bytes."""
    made = build(model, tokens_max)
    onnx.checker.check_model(made, full_check=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(made.SerializeToString(deterministic=True))
