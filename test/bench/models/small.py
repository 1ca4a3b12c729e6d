"""The small models of the tests: each shows one behaviour and is a few kilobytes."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper

from graph import FLOAT, INT64, Graph

SIDE = 256

IDENTITY_KINDS = {
    "bool": TensorProto.BOOL,
    "uint8": TensorProto.UINT8,
    "uint16": TensorProto.UINT16,
    "uint32": TensorProto.UINT32,
    "uint64": TensorProto.UINT64,
    "int8": TensorProto.INT8,
    "int16": TensorProto.INT16,
    "int32": TensorProto.INT32,
    "int64": TensorProto.INT64,
    "float16": TensorProto.FLOAT16,
    "bfloat16": TensorProto.BFLOAT16,
    "float": TensorProto.FLOAT,
    "double": TensorProto.DOUBLE,
    "string": TensorProto.STRING,
}


def build_tiny(rng: np.random.Generator) -> onnx.ModelProto:
    """Two-layer MLP: x [b,16] -> y [b,4]. Takes about 10 us, so that what is measured is the way to it."""
    graph = Graph("tiny")
    x = graph.input("x", FLOAT, ["batch", 16])
    graph.weight("w1", rng.standard_normal((16, 32), dtype=np.float32) / 4)
    graph.weight("b1", rng.standard_normal(32, dtype=np.float32) / 10)
    graph.weight("w2", rng.standard_normal((32, 4), dtype=np.float32) / 6)
    graph.weight("b2", rng.standard_normal(4, dtype=np.float32) / 10)
    hidden = graph.add("Relu", [graph.add("Gemm", [x, "w1", "b1"], "hidden")], "hidden.relu")
    graph.add("Gemm", [hidden, "w2", "b2"], "y")
    graph.output("y", FLOAT, ["batch", 4])
    return graph.model()


def build_echo_nonce(_: np.random.Generator) -> onnx.ModelProto:
    """Gives back what came, row by row: a row that reaches a wrong caller, or half of two rows, shows at once."""
    graph = Graph("echo_nonce")
    for name, kind, width in (("nonce", INT64, 1), ("payload", FLOAT, 8)):
        graph.input(name, kind, ["batch", width])
        graph.add("Identity", [name], f"{name}_out")
        graph.output(f"{name}_out", kind, ["batch", width])
    return graph.model()


def build_softmax_axis0(_: np.random.Generator) -> onnx.ModelProto:
    """Looks batchable by its shapes and is not: each row's result depends on the rows beside it."""
    graph = Graph("softmax_axis0")
    graph.add("Softmax", [graph.input("x", FLOAT, ["batch", 4])], "y", axis=0)
    graph.output("y", FLOAT, ["batch", 4])
    return graph.model()


def build_identity(datatype: str) -> onnx.ModelProto:
    """x [b,n] -> y [b,n] of one datatype: whatever changes on the way was changed by a server."""
    graph = Graph(f"identity_{datatype}")
    kind = IDENTITY_KINDS[datatype]
    graph.add("Identity", [graph.input("x", kind, ["batch", "width"])], "y")
    graph.output("y", kind, ["batch", "width"])
    return graph.model()


def build_slow(_: np.random.Generator) -> onnx.ModelProto:
    """y = x after about 50 ms on one thread, whatever the batch: high a, k near 0 in t(b) = a + k b."""
    return build_burner("slow", rounds=160, per_row=False)


def build_slow_per_row(_: np.random.Generator) -> onnx.ModelProto:
    """y = x after about 2 ms for each row on one thread: a near 0, high k in t(b) = a + k b."""
    return build_burner("slow_per_row", rounds=6, per_row=True)


def build_burner(name: str, rounds: int, per_row: bool) -> onnx.ModelProto:
    """Multiplies a square of ones by a square of 1/SIDE in a loop: 33.6 MFLOP a round, one square for each row or one in all.

    SIDE is a power of two, so no sum is ever rounded: the square stays one exactly, and y = x * 1 is x to the last bit.
    The squares are made inside the graph: the file holds no weights.
    """
    graph = Graph(name)
    x = graph.input("x", FLOAT, ["batch", 4])
    graph.add("ConstantOfShape", [graph.ints("square", SIDE, SIDE)], "mixer", value=scalar(1 / SIDE))
    leading = graph.add("Shape", [x], "rows", start=0, end=1) if per_row else graph.ints("rows", 1)
    dims = graph.add("Concat", [leading, "square"], "state_dims", axis=0)
    graph.add("ConstantOfShape", [dims], "ones", value=scalar(1.0))
    graph.weight("rounds", np.array(rounds, np.int64))
    graph.weight("go", np.array(True))
    graph.add("Loop", ["rounds", "go", "ones"], "burnt", body=burner_body(per_row))
    means = graph.add("ReduceMean", ["burnt"], "means", axes=[1, 2], keepdims=0)
    graph.add("Mul", [x, graph.add("Unsqueeze", [means, graph.ints("last_axis", -1)], "factor")], "y")
    graph.output("y", FLOAT, ["batch", 4])
    return graph.model()


def burner_body(per_row: bool) -> onnx.GraphProto:
    body = Graph("burn")
    dims = ["rows" if per_row else 1, SIDE, SIDE]
    body.input("round", INT64, [])
    body.input("go_in", TensorProto.BOOL, [])
    body.input("state", FLOAT, dims)
    body.add("Identity", ["go_in"], "go_out")
    body.add("MatMul", ["state", "mixer"], "mixed")
    body.output("go_out", TensorProto.BOOL, [])
    body.output("mixed", FLOAT, dims)
    return body.subgraph()


def scalar(value: float) -> onnx.TensorProto:
    return helper.make_tensor("value", FLOAT, [1], [value])


SMALL_BUILDERS = {
    "tiny": build_tiny,
    "echo_nonce": build_echo_nonce,
    "softmax_axis0": build_softmax_axis0,
    "slow": build_slow,
    "slow_per_row": build_slow_per_row,
    **{f"identity_{name}": (lambda _, name=name: build_identity(name)) for name in IDENTITY_KINDS},
}
