"""ONNX in Triton's Python back end: python start.py CONFIG.json SCRATCH_FOLDER

    {"grpcPort": 1, "httpPort": 2, "instances": 2, "deadlineMs": null, "models": [{"name": "tiny", "file": "tiny.onnx", "maxBatchSize": 32}]}

Becomes the tritonserver that the wheel nvidia-pytriton carries. Pytriton's own way of binding functions is not used: it
puts a proxy between Triton and the model (bound.py).
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import sysconfig
from pathlib import Path
from typing import TypedDict

from onnx_session import describe, open_session
from pytriton.utils.distribution import get_libs_path, get_root_module_path, get_stub_path

HERE = Path(__file__).parent


class ModelEntry(TypedDict):
    name: str
    file: str
    maxBatchSize: int


class ServerConfig(TypedDict):
    grpcPort: int
    httpPort: int
    instances: int
    # Given: two priorities, and what waits longer than this is refused.
    deadlineMs: int | None
    models: list[ModelEntry]


def tensors(field: str, described: list[tuple[str, str, list[int]]]) -> str:
    """Dims leave out the batch axis, as Triton wants it."""
    listed = [f'{{ name: "{name}" data_type: TYPE_{datatype} dims: {shape[1:]} }}' for name, datatype, shape in described]
    return f"{field} [ {', '.join(listed)} ]"


def batching(deadline_ms: int | None) -> str:
    if deadline_ms is None:
        return "dynamic_batching {}"
    policy = f"timeout_action: REJECT default_timeout_microseconds: {deadline_ms * 1000}"
    return f"dynamic_batching {{ priority_levels: 2 default_priority_level: 2 default_queue_policy {{ {policy} }} }}"


def write_model(repository: Path, entry: ModelEntry, config: ServerConfig) -> None:
    session = open_session(entry["file"])
    folder = repository / entry["name"]
    (folder / "1").mkdir(parents=True)
    (folder / "1" / "model.py").symlink_to(HERE / "model.py")
    lines = [
        'backend: "python"',
        f"max_batch_size: {entry['maxBatchSize']}",
        batching(config["deadlineMs"]),
        f"instance_group [ {{ kind: KIND_CPU count: {config['instances']} }} ]",
        f'parameters [ {{ key: "file" value: {{ string_value: "{entry["file"]}" }} }} ]',
        tensors("input", describe(session.get_inputs())),
        tensors("output", describe(session.get_outputs())),
    ]
    (folder / "config.pbtxt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_backends(folder: Path) -> None:
    """The wheel keeps one stub program for each Python; Triton looks for it beside the back end."""
    python = folder / "python"
    shutil.copytree(get_root_module_path() / "tritonserver/backends/python", python)
    stub = python / "triton_python_backend_stub"
    shutil.copy(get_stub_path(f"{sys.version_info.major}.{sys.version_info.minor}"), stub)
    stub.chmod(0o755)


def environment() -> dict[str, str]:
    """The stub embeds libpython and must find this environment's packages."""
    libraries = [str(get_libs_path()), sysconfig.get_config_var("LIBDIR"), os.environ.get("LD_LIBRARY_PATH", "")]
    packages = [os.environ.get("PYTHONPATH", ""), sysconfig.get_path("purelib")]
    return {**os.environ, "LD_LIBRARY_PATH": ":".join(filter(None, libraries)), "PYTHONPATH": ":".join(filter(None, packages))}


def arguments(config: ServerConfig, scratch: Path) -> list[str]:
    return [
        f"--model-repository={scratch / 'models'}",
        f"--backend-directory={scratch / 'backends'}",
        f"--grpc-port={config['grpcPort']}",
        f"--http-port={config['httpPort']}",
        "--grpc-address=127.0.0.1",
        "--http-address=127.0.0.1",
        "--allow-metrics=false",
        "--log-info=false",
    ]


def main() -> None:
    config: ServerConfig = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    scratch = Path(sys.argv[2])
    for entry in config["models"]:
        write_model(scratch / "models", entry, config)
    write_backends(scratch / "backends")
    program = get_root_module_path() / "tritonserver/bin/tritonserver"
    os.execve(program, ["tritonserver", *arguments(config, scratch)], environment())


if __name__ == "__main__":
    main()
