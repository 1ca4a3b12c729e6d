"""A thin layer over onnx.helper: nodes are added one a line and named by what they compute."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 17
IR_VERSION = 8
"""Old on purpose: the peers of the benchmark bring older releases of onnxruntime, which read these too."""

Dims = Sequence[int | str]


class Graph:
    """Collects nodes, weights, inputs and outputs of one model. Every add returns the name of its result."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self.inputs: list[onnx.ValueInfoProto] = []
        self.outputs: list[onnx.ValueInfoProto] = []

    def input(self, name: str, kind: int, dims: Dims) -> str:
        self.inputs.append(helper.make_tensor_value_info(name, kind, dims))
        return name

    def output(self, name: str, kind: int, dims: Dims) -> None:
        self.outputs.append(helper.make_tensor_value_info(name, kind, dims))

    def weight(self, name: str, values: np.ndarray) -> str:
        self.weights.append(numpy_helper.from_array(values, name))
        return name

    def ints(self, name: str, *values: int) -> str:
        return self.weight(name, np.array(values, dtype=np.int64))

    def add(self, operator: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(operator, list(inputs), [output], name=output, **attributes))
        return output

    def subgraph(self) -> onnx.GraphProto:
        return helper.make_graph(self.nodes, self.name, self.inputs, self.outputs, self.weights)

    def model(self) -> onnx.ModelProto:
        """Checked in full, shapes included. Raises onnx.checker.ValidationError."""
        opset = helper.make_opsetid("", OPSET)
        model = helper.make_model(
            self.subgraph(), opset_imports=[opset], ir_version=IR_VERSION, producer_name="headrace make_models"
        )
        onnx.checker.check_model(model, full_check=True)
        return model


FLOAT = TensorProto.FLOAT
INT64 = TensorProto.INT64
