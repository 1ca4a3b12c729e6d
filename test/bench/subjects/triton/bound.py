"""ONNX in Triton as pytriton's documentation binds a model: python bound.py CONFIG.json SCRATCH_FOLDER

    {"grpcPort": 1, "httpPort": 2, "models": [{"name": "tiny", "file": "tiny.onnx", "maxBatchSize": 32}]}

One function for each model, the decorator `batch`, and the batcher's defaults. Triton runs as a child process; its Python
back end hands each batch over a socket to this process, which holds the model.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import TypedDict

import numpy as np
import onnxruntime
from onnx_session import describe, open_session
from pytriton.decorators import batch
from pytriton.model_config import ModelConfig, Tensor
from pytriton.triton import Triton, TritonConfig

NUMPY_TYPES = {"BOOL": np.bool_, **{f"{kind.upper()}{bits}": np.dtype(f"{kind}{bits}").type for kind in ("int", "uint") for bits in (8, 16, 32, 64)}}
NUMPY_TYPES |= {"FP16": np.float16, "FP32": np.float32, "FP64": np.float64}


class ModelEntry(TypedDict):
    name: str
    file: str
    maxBatchSize: int


class ServerConfig(TypedDict):
    grpcPort: int
    httpPort: int
    models: list[ModelEntry]


def tensors(arguments: list[onnxruntime.NodeArg]) -> list[Tensor]:
    """Shapes leave out the batch axis, as Triton wants it."""
    return [Tensor(name=name, dtype=NUMPY_TYPES[datatype], shape=tuple(shape[1:])) for name, datatype, shape in describe(arguments)]


def infer_function(session: onnxruntime.InferenceSession) -> Callable[..., list[np.ndarray]]:
    names = [output.name for output in session.get_outputs()]

    @batch
    def infer(**inputs: np.ndarray) -> list[np.ndarray]:
        return session.run(names, inputs)

    return infer


def show_library() -> None:
    """The back end's stub embeds libpython: it must be that of the standard library it finds, not the system's of another patch level."""
    folders = [sysconfig.get_config_var("LIBDIR"), os.environ.get("LD_LIBRARY_PATH")]
    os.environ["LD_LIBRARY_PATH"] = ":".join(filter(None, folders))


def main() -> None:
    show_library()
    # Pytriton ends its tritonserver on an interrupt only; the bench sends SIGTERM, and the next server starts when this one is gone.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    config: ServerConfig = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    settings = TritonConfig(
        grpc_address="127.0.0.1",
        grpc_port=config["grpcPort"],
        http_address="127.0.0.1",
        http_port=config["httpPort"],
        allow_metrics=False,
    )
    with Triton(config=settings, workspace=Path(sys.argv[2]) / "workspace") as triton:
        for entry in config["models"]:
            session = open_session(entry["file"])
            triton.bind(
                model_name=entry["name"],
                infer_func=infer_function(session),
                inputs=tensors(session.get_inputs()),
                outputs=tensors(session.get_outputs()),
                config=ModelConfig(max_batch_size=entry["maxBatchSize"]),
            )
        triton.serve()


if __name__ == "__main__":
    main()
