"""Write the int8 ONNX graph by hand: a dozen plain operators, weights in int8, sums in float.

Why weight-only int8: activations are never quantised, so a row's logits depend on nothing but
its own ids. The sum over int8 rows is exact in float32 (whole numbers below 2^24), so padding
changes no bit of it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from train import EPSILON, Classifier


def quantise(weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Symmetric int8 with one float scale per column."""
    scale = np.maximum(np.abs(weight).max(axis=0), 1e-12) / 127
    return np.clip(np.rint(weight / scale), -127, 127).astype(np.int8), scale.astype(np.float32)


def weights_of(model: Classifier) -> dict[str, np.ndarray]:
    """All initialisers; row 0 of the table is zero, so padding adds nothing."""
    table = model.table.detach().numpy().copy()
    table[0] = 0
    values: dict[str, np.ndarray] = {}
    layers = {"table": table, "hidden": model.hidden.weight.detach().numpy().T, "output": model.output.weight.detach().numpy().T}
    for name, weight in layers.items():
        values[name], values[f"{name}_scale"] = quantise(weight)
    values["hidden_bias"] = model.hidden.bias.detach().numpy()
    values["output_bias"] = model.output.bias.detach().numpy()
    values["epsilon"] = np.array(EPSILON, np.float32)
    values["length_axis"] = np.array([1], np.int64)
    values["width_axis"] = np.array([-1], np.int64)
    return values


def dense(name: str, source: str, target: str) -> list[onnx.NodeProto]:
    """source x int8 weight, times the column scales, plus bias."""
    return [
        helper.make_node("Cast", [name], [f"{name}_float"], to=TensorProto.FLOAT),
        helper.make_node("MatMul", [source, f"{name}_float"], [f"{name}_product"]),
        helper.make_node("Mul", [f"{name}_product", f"{name}_scale"], [f"{name}_scaled"]),
        helper.make_node("Add", [f"{name}_scaled", f"{name}_bias"], [target]),
    ]


def build(model: Classifier) -> onnx.ModelProto:
    """The whole graph: `ids` int32 [batch, length] to `logits` float32 [batch, labels]."""
    values = weights_of(model)
    nodes = [
        helper.make_node("Gather", ["table", "ids"], ["rows_int8"], axis=0),
        helper.make_node("Cast", ["rows_int8"], ["rows"], to=TensorProto.FLOAT),
        helper.make_node("ReduceSum", ["rows", "length_axis"], ["sum_int"], keepdims=0),
        helper.make_node("Mul", ["sum_int", "table_scale"], ["sum"]),
        helper.make_node("Mul", ["sum", "sum"], ["square"]),
        helper.make_node("ReduceMean", ["square", "width_axis"], ["mean_square"], keepdims=1),
        helper.make_node("Add", ["mean_square", "epsilon"], ["mean_square_safe"]),
        helper.make_node("Sqrt", ["mean_square_safe"], ["root"]),
        helper.make_node("Div", ["sum", "root"], ["bag"]),
        *dense("hidden", "bag", "hidden_out"),
        helper.make_node("Relu", ["hidden_out"], ["hidden_relu"]),
        *dense("output", "hidden_relu", "logits"),
    ]
    graph = helper.make_graph(
        nodes,
        "intent",
        [helper.make_tensor_value_info("ids", TensorProto.INT32, ["batch", "length"])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", values["output_bias"].shape[0]])],
        [numpy_helper.from_array(value, name) for name, value in values.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9, producer_name="ledge")


def save(model: Classifier, path: Path) -> None:
    """Check and write the graph."""
    made = build(model)
    onnx.checker.check_model(made, full_check=True)
    path.write_bytes(made.SerializeToString(deterministic=True))
