"""Writes the golden messages of this folder with Google's protobuf for Python.

    pip install protobuf grpcio-tools
    python proto/golden/make_golden.py
    npx oxfmt proto/golden

<name>.bin is a message as that library encodes it, <name>.json the same as protobuf JSON. verdicts.json holds messages that were
damaged on the wire; of each this script fills in again whether the library accepts it and, if so, its canonical bytes.
"""

import json
import pathlib
import struct
import subprocess
import sys
import tempfile

folder = pathlib.Path(__file__).parent
generated = tempfile.mkdtemp()
subprocess.run(
    [sys.executable, "-m", "grpc_tools.protoc", "-I", str(folder.parent), f"--python_out={generated}"]
    + ["inference/grpc_service.proto", "inference/model_config.proto"],
    check=True,
)
sys.path.insert(0, generated)

from google.protobuf import json_format  # noqa: E402 - generated into the path set above
from google.protobuf.message import DecodeError  # noqa: E402 - generated into the path set above
from inference import grpc_service_pb2 as pb  # noqa: E402 - generated into the path set above

floats = [0.0, -1.5, 3.25, float("inf")]


def request_raw():
    message = pb.ModelInferRequest(model_name="ranker", model_version="3", id="request-17")
    message.parameters["priority"].int64_param = 1
    message.inputs.add(name="history", datatype="INT64", shape=[1, 4])
    message.inputs.add(name="weights", datatype="FP32", shape=[1, 4])
    message.inputs.add(name="words", datatype="BYTES", shape=[2])
    message.inputs.add(name="nothing", datatype="FP16", shape=[0, 300])
    message.outputs.add(name="scores")
    message.raw_input_contents.extend([
        struct.pack("<4q", 1, -1, 2**62, 7),
        struct.pack("<4f", *floats),
        struct.pack("<I3sI", 3, "ß!".encode(), 0),
        b"",
    ])
    return message


def request_typed():
    message = pb.ModelInferRequest(model_name="every datatype")
    for datatype, field, values in [
        ("BOOL", "bool_contents", [True, False]),
        ("INT8", "int_contents", [-128, 127]),
        ("INT16", "int_contents", [-32768, 32767]),
        ("INT32", "int_contents", [-(2**31), 2**31 - 1]),
        ("INT64", "int64_contents", [-(2**63), 2**63 - 1]),
        ("UINT8", "uint_contents", [0, 255]),
        ("UINT16", "uint_contents", [0, 65535]),
        ("UINT32", "uint_contents", [0, 2**32 - 1]),
        ("UINT64", "uint64_contents", [0, 2**64 - 1]),
        ("FP32", "fp32_contents", floats),
        ("FP64", "fp64_contents", floats),
        ("BYTES", "bytes_contents", [b"", b"\x00\xff", "größe".encode()]),
    ]:
        tensor = message.inputs.add(name=datatype.lower(), datatype=datatype, shape=[len(values)])
        getattr(tensor.contents, field).extend(values)
    return message


def request_parameters():
    message = pb.ModelInferRequest(model_name="modell-größe", id="入力")
    message.parameters["flag"].bool_param = False
    message.parameters["least"].int64_param = -(2**63)
    message.parameters["text"].string_param = ""
    message.parameters["ratio"].double_param = 0.1
    message.parameters["most"].uint64_param = 2**64 - 1
    message.parameters[""].string_param = "an empty name"
    tensor = message.inputs.add(name="x", datatype="FP32", shape=[2**53 - 1, 0])
    tensor.parameters["scale"].double_param = 2.5
    message.outputs.add(name="y").parameters["classification"].int64_param = 3
    return message


def response_raw():
    message = pb.ModelInferResponse(model_name="ranker", model_version="3", id="request-17")
    message.parameters["headrace_run_us"].int64_param = 1234
    message.outputs.add(name="scores", datatype="FP32", shape=[1, 4])
    message.outputs.add(name="items", datatype="INT64", shape=[1, 200])
    message.raw_output_contents.extend([struct.pack("<4f", *floats), struct.pack("<200q", *range(200))])
    return message


def response_typed():
    message = pb.ModelInferResponse(model_name="ranker")
    tensor = message.outputs.add(name="scores", datatype="FP32", shape=[4])
    tensor.contents.fp32_contents.extend(floats)
    tensor.parameters["label"].string_param = "a"
    return message


for make in [request_raw, request_typed, request_parameters, response_raw, response_typed]:
    message, name = make(), make.__name__.replace("_", "-")
    (folder / f"{name}.bin").write_bytes(message.SerializeToString(deterministic=True))
    (folder / f"{name}.json").write_text(json_format.MessageToJson(message, preserving_proto_field_name=True, sort_keys=True) + "\n")

verdicts = json.loads((folder / "verdicts.json").read_text())
for case in verdicts:
    kind = pb.ModelInferRequest if case["kind"] == "request" else pb.ModelInferResponse
    try:
        message = kind.FromString(bytes.fromhex(case["bytes"]))
        message.DiscardUnknownFields()
        case["canonical"] = message.SerializeToString(deterministic=True).hex()
    except DecodeError:
        case["canonical"] = None
(folder / "verdicts.json").write_text("[\n" + ",\n".join(json.dumps(case) for case in verdicts) + "\n]\n")
