"""Write the decoder as one ONNX graph with a key/value cache, in float32 or with int8 weights.

Why by hand: input and output names, and the merged prefill/decode graph, are exactly those
that transformers.js expects of a `llama` model, with plain ONNX operators only.
Why weight-only int8: activations are never quantised, so what a row gets does not depend on
the other rows of its batch, nor on how the text was cut into prefill and decode steps.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from llama import Shape, rope_tables

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

    def floats(self, name: str, value: float) -> str:
        """One float32 number."""
        return self.const(name, np.array(value, np.float32))

    def matrix(self, name: str, value: np.ndarray, axis: int) -> str:
        """A weight; as int8 with one scale per column (axis 0) or row (axis 1) if asked for.

        onnxruntime folds the Cast and the Mul once, when it loads the file.
        """
        if not self.int8:
            return self.const(name, value)
        scale = np.maximum(np.abs(value).max(axis=axis, keepdims=True), 1e-12) / 127
        whole = np.clip(np.rint(value / scale), -127, 127).astype(np.int8)
        wide = self.cast(self.const(f"{name}.int8", whole), TensorProto.FLOAT)
        return self.op("Mul", wide, self.const(f"{name}.scale", scale.astype(np.float32)))

    def cast(self, source: str, kind: int) -> str:
        """Change the number type."""
        result = f"Cast_{len(self.nodes)}"
        self.nodes.append(helper.make_node("Cast", [source], [result], name=result, to=kind))
        return result

    def split_half(self, source: str) -> tuple[str, str]:
        """The two halves of the last axis."""
        names = [f"Split_{len(self.nodes)}_{side}" for side in "lr"]
        self.nodes.append(helper.make_node("Split", [source], names, axis=-1, num_outputs=2))
        return names[0], names[1]

    def heads(self, source: str, count: int, width: int) -> str:
        """[batch, time, count*width] to [batch, count, time, width]."""
        return self.op("Transpose", self.op("Reshape", source, self.ints(0, 0, count, width)), perm=[0, 2, 1, 3])


def norm(g: Graph, x: str, name: str, weights: Weights, eps: float) -> str:
    """RMSNorm."""
    mean = g.op("ReduceMean", g.op("Mul", x, x), g.ints(-1), keepdims=1)
    root = g.op("Sqrt", g.op("Add", mean, g.floats("eps", eps)))
    return g.op("Mul", g.op("Div", x, root), g.const(name, weights[name]))


def rotate(g: Graph, x: str, cos: str, sin: str) -> str:
    """Rotary positions, HF half layout."""
    left, right = g.split_half(x)
    turned = g.op("Concat", g.op("Neg", right), left, axis=-1)
    return g.op("Add", g.op("Mul", x, cos), g.op("Mul", turned, sin))


def attention_bias(g: Graph) -> str:
    """0 where a query may look, a large negative number elsewhere: [batch, 1, time, total]."""
    total = g.op("Gather", g.op("Shape", "attention_mask"), g.const("one", np.array(1, np.int64)), axis=0)
    time = g.op("Gather", g.op("Shape", "input_ids"), "one", axis=0)
    zero = g.const("zero", np.array(0, np.int64))
    keys = g.op("Range", zero, total, "one")
    queries = g.op("Range", g.op("Sub", total, time), total, "one")
    causal = g.op("LessOrEqual", g.op("Unsqueeze", keys, g.ints(0)), g.op("Unsqueeze", queries, g.ints(1)))
    real = g.op("Unsqueeze", g.cast("attention_mask", TensorProto.BOOL), g.ints(1, 2))
    return g.op("Where", g.op("And", causal, real), g.floats("nothing", 0.0), g.floats("blocked", -1e9))


def attention(g: Graph, x: str, layer: int, at: list[str], shape: Shape, project) -> str:
    """One attention block; queries of a group share their key/value head without copying it."""
    cos, sin, bias = at
    heads, kv, width = shape.num_attention_heads, shape.num_key_value_heads, shape.head_dim
    q = rotate(g, g.heads(project(x, "self_attn.q_proj"), heads, width), cos, sin)
    k = rotate(g, g.heads(project(x, "self_attn.k_proj"), kv, width), cos, sin)
    v = g.heads(project(x, "self_attn.v_proj"), kv, width)
    k = g.op("Concat", f"past_key_values.{layer}.key", k, axis=2, to=f"present.{layer}.key")
    v = g.op("Concat", f"past_key_values.{layer}.value", v, axis=2, to=f"present.{layer}.value")
    q = g.op("Mul", q, g.floats("scale", width**-0.5))
    scores = g.op("MatMul", g.op("Reshape", q, g.ints(0, kv, -1, width)), g.op("Transpose", k, perm=[0, 1, 3, 2]))
    scores = g.op("Add", g.op("Reshape", scores, g.ints(0, heads, -1, 0)), bias)
    chances = g.op("Reshape", g.op("Softmax", scores, axis=-1), g.ints(0, kv, -1, 0))
    mixed = g.op("Reshape", g.op("MatMul", chances, v), g.ints(0, heads, -1, width))
    joined = g.op("Reshape", g.op("Transpose", mixed, perm=[0, 2, 1, 3]), g.ints(0, 0, heads * width))
    return project(joined, "self_attn.o_proj")


def block(g: Graph, x: str, layer: int, at: list[str], shape: Shape, weights: Weights) -> str:
    """One decoder layer."""
    prefix = f"model.layers.{layer}."

    def project(source: str, name: str) -> str:
        full = f"{prefix}{name}.weight"
        return g.op("MatMul", source, g.matrix(full, weights[full].T, axis=0))

    h = norm(g, x, f"{prefix}input_layernorm.weight", weights, shape.rms_norm_eps)
    x = g.op("Add", x, attention(g, h, layer, at, shape, project))
    h = norm(g, x, f"{prefix}post_attention_layernorm.weight", weights, shape.rms_norm_eps)
    gate = project(h, "mlp.gate_proj")
    lifted = g.op("Mul", g.op("Mul", gate, g.op("Sigmoid", gate)), project(h, "mlp.up_proj"))
    return g.op("Add", x, project(lifted, "mlp.down_proj"))


def interface(shape: Shape) -> tuple[list, list]:
    """Inputs and outputs under the names that transformers.js uses."""
    tensor, wide, whole = helper.make_tensor_value_info, TensorProto.FLOAT, TensorProto.INT64
    inputs = [
        tensor("input_ids", whole, ["batch", "time"]),
        tensor("attention_mask", whole, ["batch", "total"]),
        tensor("position_ids", whole, ["batch", "time"]),
    ]
    outputs = [tensor("logits", wide, ["batch", "time", shape.vocab_size])]
    for layer in range(shape.num_hidden_layers):
        for part in ("key", "value"):
            sizes = ["batch", shape.num_key_value_heads, None, shape.head_dim]
            inputs.append(tensor(f"past_key_values.{layer}.{part}", wide, [s or "past" for s in sizes]))
            outputs.append(tensor(f"present.{layer}.{part}", wide, [s or "total" for s in sizes]))
    return inputs, outputs


def build(weights: Weights, shape: Shape, int8: bool) -> onnx.ModelProto:
    """The whole graph."""
    g = Graph(int8)
    tables = [g.const(n, t.numpy()) for n, t in zip(("cos", "sin"), rope_tables(shape))]
    at = [g.op("Unsqueeze", g.op("Gather", t, "position_ids", axis=0), g.ints(1)) for t in tables]
    at.append(attention_bias(g))
    table = g.matrix("model.embed_tokens.weight", weights["model.embed_tokens.weight"], axis=1)
    x = g.op("Gather", table, "input_ids", axis=0)
    for layer in range(shape.num_hidden_layers):
        x = block(g, x, layer, at, shape, weights)
    x = norm(g, x, "model.norm.weight", weights, shape.rms_norm_eps)
    g.op("MatMul", x, g.op("Transpose", table, perm=[1, 0]), to="logits")
    inputs, outputs = interface(shape)
    values = [numpy_helper.from_array(value, name) for name, value in g.values.items()]
    graph = helper.make_graph(g.nodes, "tiny-chat", inputs, outputs, values)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9, producer_name="ledge")


def save(weights: Weights, shape: Shape, int8: bool, path: Path) -> None:
    """Check and write the graph; the same weights give the same bytes."""
    made = build(weights, shape, int8)
    onnx.checker.check_model(made, full_check=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(made.SerializeToString(deterministic=True))
