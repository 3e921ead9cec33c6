"""Embedding tables as int8: each row of a gathered table with a scale of its own."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SMALLEST = 4096


def rows_to_int8(graph: onnx.ModelProto) -> onnx.ModelProto:
    """Rewrite every `Gather` of rows (axis 0) from a float table of two axes: gather int8 rows and their scales, then multiply.

    Tables of fewer than 4,096 numbers stay. Done in place; the graph is returned.
    """
    values = {value.name: value for value in graph.graph.initializer}
    users: dict[str, int] = {}
    for node in graph.graph.node:
        for name in node.input:
            users[name] = users.get(name, 0) + 1
    nodes: list[onnx.NodeProto] = []
    for node in graph.graph.node:
        table = values.get(node.input[0]) if node.op_type == "Gather" else None
        axis = next((a.i for a in node.attribute if a.name == "axis"), 0)
        fits = table is not None and table.data_type == TensorProto.FLOAT and len(table.dims) == 2 and axis == 0
        if table is None or not fits or np.prod(table.dims) < SMALLEST or users[table.name] > 1:
            nodes.append(node)
            continue
        nodes += gathered(node, numpy_helper.to_array(table), graph.graph)
        graph.graph.initializer.remove(table)
    del graph.graph.node[:]
    graph.graph.node.extend(nodes)
    return graph


def gathered(node: onnx.NodeProto, table: np.ndarray, graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    """The nodes that stand in for one Gather; adds their initialisers."""
    name, ids, result = node.input[0], node.input[1], node.output[0]
    scale = np.maximum(np.abs(table).max(axis=1, keepdims=True), 1e-12) / 127
    whole = np.clip(np.rint(table / scale), -127, 127).astype(np.int8)
    graph.initializer.append(numpy_helper.from_array(whole, f"{name}.int8"))
    graph.initializer.append(numpy_helper.from_array(scale.astype(np.float32), f"{name}.scale"))
    make = lambda kind, inputs, made, **more: helper.make_node(kind, inputs, [made], name=made, **more)
    return [
        make("Gather", [f"{name}.int8", ids], f"{result}.int8", axis=0),
        make("Cast", [f"{result}.int8"], f"{result}.whole", to=TensorProto.FLOAT),
        make("Gather", [f"{name}.scale", ids], f"{result}.scale", axis=0),
        make("Mul", [f"{result}.whole", f"{result}.scale"], result),
    ]
