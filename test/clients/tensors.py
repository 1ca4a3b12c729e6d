"""Tensors between JSON and tritonclient, for the client programs beside this file.

JSON form: {"name": "x", "datatype": "FP32", "shape": [1, 2], "data": [0.5, 1]}, data flat in row-major order; BYTES
elements are strings, sent as UTF-8.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

import numpy as np
from tritonclient.utils import InferenceServerException, triton_to_np_dtype


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--address", required=True, help="host:port of the server")
    parser.add_argument("--timeout", type=float, default=10.0, help="seconds before a call is given up (default %(default)s)")


def to_array(tensor: dict[str, Any]) -> np.ndarray:
    if tensor["datatype"] == "BYTES":
        flat = np.array([element.encode() for element in tensor["data"]], dtype=np.object_)
    else:
        flat = np.array(tensor["data"], dtype=triton_to_np_dtype(tensor["datatype"]))
    return flat.reshape(tensor["shape"])


def to_inputs(module: Any, text: str) -> list[Any]:
    """InferInput objects of tritonclient.grpc or tritonclient.grpc.aio, which have the same names."""
    inputs = []
    for tensor in json.loads(text):
        item = module.InferInput(tensor["name"], tensor["shape"], tensor["datatype"])
        item.set_data_from_numpy(to_array(tensor))
        inputs.append(item)
    return inputs


def from_result(result: Any) -> dict[str, Any]:
    response = result.get_response()
    return {
        "model": response.model_name,
        "version": response.model_version,
        "id": response.id,
        "outputs": [from_output(result, output) for output in response.outputs],
    }


def from_output(result: Any, output: Any) -> dict[str, Any]:
    array = result.as_numpy(output.name)
    flat = array.reshape(-1).tolist()
    data = [element.decode() if isinstance(element, bytes) else element for element in flat]
    return {"name": output.name, "datatype": output.datatype, "shape": list(output.shape), "data": data}


def from_error(error: InferenceServerException) -> dict[str, Any]:
    """status is "StatusCode.NOT_FOUND" or None (an error inside a stream has no status)."""
    return {"error": {"status": error.status(), "message": error.message()}}
