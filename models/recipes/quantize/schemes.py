"""The ways to store a float32 ONNX graph in fewer bits, over `onnxruntime.quantization`. Each takes a graph and returns one."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_dynamic, quantize_static

from quantize import halves, tables

Sample = dict[str, np.ndarray]
PRODUCTS = ("MatMul", "Gemm", "Conv")
METHODS = {"minmax": CalibrationMethod.MinMax, "percentile": CalibrationMethod.Percentile, "entropy": CalibrationMethod.Entropy}


class QuantizeError(Exception):
    """The graph can't be quantised like this. The message is for the user."""


@dataclass(frozen=True)
class Options:
    """What the command line chose; each scheme reads the fields that concern it."""

    per_channel: bool = True
    seven_bit: bool = False
    exclude: tuple[str, ...] = ()
    method: str = "minmax"
    block: int = 32
    samples: tuple[Sample, ...] = ()


class Samples(CalibrationDataReader):
    """Hands the calibration samples out one by one."""

    def __init__(self, samples: tuple[Sample, ...]) -> None:
        self.left = iter(samples)

    def get_next(self) -> Sample | None:
        return next(self.left, None)


def through_files(graph: onnx.ModelProto, make: Callable[[Path, Path], None]) -> onnx.ModelProto:
    """The library reads and writes files: give it two in a folder that goes away."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "in.onnx", Path(folder) / "out.onnx"
        onnx.save(graph, source)
        make(source, target)
        return onnx.load(target)


def products_of_activations(graph: onnx.ModelProto) -> list[str]:
    """Names of the MatMuls without a constant side: attention's own. Quantising them costs more than it saves.

    The library's MatMulConstBOnly does this in dynamic mode only.
    """
    constants = {value.name for value in graph.graph.initializer}
    constants |= {node.output[0] for node in graph.graph.node if node.op_type == "Constant"}
    return [node.name for node in graph.graph.node if node.op_type == "MatMul" and not constants & set(node.input)]


def exact_elsewhere(graph: onnx.ModelProto) -> onnx.ModelProto:
    """Let every node but the products read the number itself, where the library lets all readers have the rounded one. In place."""
    source = {node.output[0]: node.input[0] for node in graph.graph.node if node.op_type == "QuantizeLinear"}
    rounded = {node.output[0]: source[node.input[0]] for node in graph.graph.node if node.op_type == "DequantizeLinear" and node.input[0] in source}
    for node in graph.graph.node:
        if node.op_type not in PRODUCTS:
            for at, name in enumerate(node.input):
                node.input[at] = rounded.get(name, name)
    return graph


def dynamic(graph: onnx.ModelProto, options: Options) -> onnx.ModelProto:
    """int8 weights; activations are scaled at run time by the range of the whole tensor, other rows of the batch included."""

    def make(source: Path, target: Path) -> None:
        quantize_dynamic(
            source, target, op_types_to_quantize=list(PRODUCTS), per_channel=options.per_channel, reduce_range=options.seven_bit,
            weight_type=QuantType.QInt8, nodes_to_exclude=list(options.exclude), extra_options={"MatMulConstBOnly": True},
        )

    return tables.rows_to_int8(through_files(graph, make))


def static(graph: onnx.ModelProto, options: Options) -> onnx.ModelProto:
    """int8 weights and activations with scales fixed by calibration: what a row gets does not depend on its batch.

    Only the products read quantised numbers; what passes by them, the residual stream, stays exact.
    """
    if not options.samples:
        raise QuantizeError("int8-static needs --calibrate FILE: samples of real inputs, as .npz or .jsonl.")

    exclude = [*options.exclude, *products_of_activations(graph)]

    def make(source: Path, target: Path) -> None:
        quantize_static(
            source, target, Samples(options.samples), quant_format=QuantFormat.QDQ, op_types_to_quantize=list(PRODUCTS),
            per_channel=options.per_channel, reduce_range=options.seven_bit, activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
            nodes_to_exclude=exclude, calibrate_method=METHODS[options.method],
            extra_options={"OpTypesToExcludeOutputQuantization": list(PRODUCTS)},
        )

    return tables.rows_to_int8(exact_elsewhere(through_files(graph, make)))


def weights_only(graph: onnx.ModelProto, bits: int, options: Options) -> onnx.ModelProto:
    """4- or 8-bit weights in blocks with a scale each (MatMulNBits); activations stay float32."""
    from onnxruntime.quantization.matmul_nbits_quantizer import DefaultWeightOnlyQuantConfig, MatMulNBitsQuantizer

    config = DefaultWeightOnlyQuantConfig(block_size=options.block, is_symmetric=True, bits=bits)
    maker = MatMulNBitsQuantizer(graph, nodes_to_exclude=list(options.exclude), algo_config=config)
    maker.process()
    return tables.rows_to_int8(maker.model.model)


SCHEMES: dict[str, Callable[[onnx.ModelProto, Options], onnx.ModelProto]] = {
    "int8-dynamic": dynamic,
    "int8-static": static,
    "fp16": lambda graph, _: halves.to_float16(graph),
    "int4": lambda graph, options: weights_only(graph, 4, options),
    "int8-weights": lambda graph, options: weights_only(graph, 8, options),
}
