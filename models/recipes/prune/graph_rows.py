"""Cut the embedding rows of an ONNX graph to the pieces that its tokenizer keeps."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import numpy_helper

from prune.layers import PruneError


def keep_rows(graph: onnx.ModelProto, kept: list[int], size: int) -> onnx.ModelProto:
    """Keep these rows of every table of `size` rows that only `Gather`s (axis 0) read. In place; the graph is returned."""
    values = {value.name: value for value in graph.graph.initializer if value.dims and value.dims[0] == size}
    gathers = {node.input[0] for node in graph.graph.node if node.op_type == "Gather" and axis_of(node) == 0}
    tables = [value for name, value in values.items() if name in gathers]
    if not tables:
        raise PruneError(f"The graph gathers from no table of {size} rows, the size of the tokenizer's vocabulary.")
    for node in graph.graph.node:
        shared = [name for i, name in enumerate(node.input) if name in gathers & set(values) and (node.op_type != "Gather" or i)]
        if shared:
            raise PruneError(f"The table {shared[0]} is also used by {node.op_type} {node.name}: it can't be cut alone.")
    for value in tables:
        cut = np.ascontiguousarray(numpy_helper.to_array(value)[kept])
        value.CopyFrom(numpy_helper.from_array(cut, value.name))
    return graph


def axis_of(node: onnx.NodeProto) -> int:
    """The axis of a Gather; 0 when not said."""
    return next((attribute.i for attribute in node.attribute if attribute.name == "axis"), 0)
