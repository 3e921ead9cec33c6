"""float16 weights: half the bytes; ONNX Runtime turns them into float32 once, when it loads the graph, where a CPU has no float16 products."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SMALLEST = 256
LARGEST = float(np.finfo(np.float16).max)


def to_float16(graph: onnx.ModelProto) -> onnx.ModelProto:
    """Store every float32 initialiser of at least 256 numbers as float16, with a Cast back to float32 behind it.

    Why not compute in float16: the WASM build has no float16 products, so that graph would not run there. Numbers beyond
    65,504 would become infinite, so a tensor that holds one stays float32. Done in place; the graph is returned.
    """
    casts: list[onnx.NodeProto] = []
    for value in list(graph.graph.initializer):
        if value.data_type != TensorProto.FLOAT or np.prod(value.dims) < SMALLEST:
            continue
        array = numpy_helper.to_array(value)
        if np.abs(array).max() > LARGEST:
            continue
        graph.graph.initializer.remove(value)
        graph.graph.initializer.append(numpy_helper.from_array(array.astype(np.float16), f"{value.name}.half"))
        casts.append(helper.make_node("Cast", [f"{value.name}.half"], [value.name], name=f"{value.name}.wide", to=TensorProto.FLOAT))
    nodes = list(graph.graph.node)
    del graph.graph.node[:]
    graph.graph.node.extend(casts + nodes)
    return graph
