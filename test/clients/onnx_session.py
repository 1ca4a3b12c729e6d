"""What the two peer servers beside this file share: an onnxruntime session and the protocol's names of its types.

Numeric types only: peers treat strings each in their own way.
"""

from __future__ import annotations

import os

import onnxruntime

DATATYPES = {
    "tensor(bool)": "BOOL",
    "tensor(uint8)": "UINT8",
    "tensor(uint16)": "UINT16",
    "tensor(uint32)": "UINT32",
    "tensor(uint64)": "UINT64",
    "tensor(int8)": "INT8",
    "tensor(int16)": "INT16",
    "tensor(int32)": "INT32",
    "tensor(int64)": "INT64",
    "tensor(float16)": "FP16",
    "tensor(float)": "FP32",
    "tensor(double)": "FP64",
}


def open_session(path: str) -> onnxruntime.InferenceSession:
    """One thread unless ONNX_THREADS says more: the setting that Headrace's server has by default."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(os.environ.get("ONNX_THREADS", "1"))
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def describe(arguments: list[onnxruntime.NodeArg]) -> list[tuple[str, str, list[int]]]:
    """Name, datatype and shape of each; -1 for a dimension that varies."""
    return [(one.name, DATATYPES[one.type], [dim if isinstance(dim, int) else -1 for dim in one.shape]) for one in arguments]
