"""Writes the trained ranker as ONNX and proves on the file what its users rely on."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch

from model import Ranker, SequenceModel

OPSET = 18
IR_VERSION = 8
"""Old on purpose: older releases of onnxruntime read it too."""
TOLERANCE = 1e-5
LOCAL_PATH = re.compile(rb"/(?:tmp|home|root|work|usr|opt|Users)/|site-packages|\.py\b")


def export_ranker(model: SequenceModel, path: Path) -> dict[str, object]:
    """Returns the file's size in bytes and how far it is from PyTorch and from itself in a batch."""
    ranker = Ranker(model).eval()
    batch, steps = torch.export.Dim("batch"), torch.export.Dim("steps")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            ranker,
            (sample_histories(rows=3, steps=7, items=model.shape.items),),
            input_names=["history"],
            output_names=["items", "scores"],
            dynamic_shapes=({0: batch, 1: steps},),
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    proto = anonymous(program.model_proto)
    onnx.checker.check_model(proto, full_check=True)
    data = proto.SerializeToString(deterministic=True)
    if found := LOCAL_PATH.search(data):
        raise SystemExit(f"the exported file names a path of this machine: {found.group()!r}")
    path.write_bytes(data)
    return {"bytes": len(data), **check(path, ranker)}


def anonymous(proto: onnx.ModelProto) -> onnx.ModelProto:
    """Drops what the exporter notes about the machine and the source: it is of no use to a runtime."""
    proto.ir_version = IR_VERSION
    proto.producer_name, proto.producer_version, proto.doc_string = "headrace demo", "", ""
    del proto.metadata_props[:]
    del proto.functions[:]
    graph = proto.graph
    graph.name, graph.doc_string = "ranker", ""
    del graph.value_info[:]
    for part in (graph, *graph.node, *graph.input, *graph.output, *graph.initializer):
        del part.metadata_props[:]
        part.doc_string = ""
    return proto


def sample_histories(rows: int, steps: int, items: int) -> torch.Tensor:
    return torch.randint(0, items + 1, (rows, steps), generator=torch.Generator().manual_seed(rows * 1000 + steps))


def check(path: Path, ranker: Ranker) -> dict[str, object]:
    """Runs the file for many shapes. Raises SystemExit where a promise of the model card does not hold."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    from_torch = from_single = 0.0
    bit_exact = True
    for steps in (0, 1, 2, 7, 49, 50, 51, 120):
        for rows in (1, 2, 8, 32):
            histories = sample_histories(rows, steps, ranker.model.shape.items)
            items, scores = run(session, histories.numpy())
            with torch.no_grad():
                from_torch = max(from_torch, distance(scores, ranker(histories)[1].numpy()))
            for row in range(rows):
                single_items, single_scores = run(session, histories[row : row + 1].numpy())
                require(np.array_equal(items[row], single_items[0]), f"row {row} of {rows} with {steps} steps ranks alike alone")
                from_single = max(from_single, distance(scores[row], single_scores[0]))
                bit_exact &= np.array_equal(scores[row], single_scores[0])
            require(not any(set(seen) & set(top) for seen, top in zip(histories.numpy(), items)), "no seen item comes back")
            require(bool(np.all(items > 0)) and bool(np.all(np.diff(scores) <= 0)), "items are real, best first")
    check_padding(session)
    require(max(from_torch, from_single) <= TOLERANCE, f"within {TOLERANCE} of PyTorch and of single rows")
    return {"max_difference_from_torch": from_torch, "max_difference_from_single_rows": from_single, "rows_bit_exact": bit_exact}


def check_padding(session: onnxruntime.InferenceSession) -> None:
    """Padding, wherever it stands and whatever unknown id it is written with, changes no bit."""
    plain = run(session, np.array([[50, 181, 172]]))
    for padded in ([0] * 47 + [50, 181, 172], [50, 181, 172, 0, 0], [-1, 50, 0, 181, 99_999, 172, 2**62]):
        for wanted, found in zip(plain, run(session, np.array([padded]))):
            require(np.array_equal(wanted, found), f"{padded} answers like [50, 181, 172]")


def run(session: onnxruntime.InferenceSession, history: np.ndarray) -> list[np.ndarray]:
    return session.run(["items", "scores"], {"history": history.astype(np.int64)})


def distance(left: np.ndarray, right: np.ndarray) -> float:
    return float(np.max(np.abs(left - right)))


def require(holds: bool, promise: str) -> None:
    if not holds:
        raise SystemExit(f"the exported model breaks a promise: {promise}")
