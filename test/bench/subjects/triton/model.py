"""The model that Triton's Python back end loads; one process for each instance."""

from __future__ import annotations

import json
import os
import sys

# The stub's interpreter is an isolated one, which does not look at PYTHONPATH.
sys.path[:0] = os.environ["PYTHONPATH"].split(":")

import numpy as np  # noqa: E402 - found on the path set above
import triton_python_backend_utils as pb_utils  # noqa: E402 - found on the path set above

from onnx_session import open_session  # noqa: E402 - found on the path set above


class TritonPythonModel:
    def initialize(self, args: dict[str, str]) -> None:
        config = json.loads(args["model_config"])
        self.session = open_session(config["parameters"]["file"]["string_value"])
        self.inputs = [tensor["name"] for tensor in config["input"]]
        self.outputs = [tensor["name"] for tensor in config["output"]]

    def execute(self, requests: list) -> list:
        """Triton's scheduler hands over the requests of a batch; concatenating them is this back end's work."""
        parts = [[pb_utils.get_input_tensor_by_name(request, name).as_numpy() for name in self.inputs] for request in requests]
        feed = {name: np.concatenate([part[index] for part in parts]) for index, name in enumerate(self.inputs)}
        values = self.session.run(self.outputs, feed)
        ends = np.cumsum([part[0].shape[0] for part in parts])[:-1]
        rows = zip(*(np.split(value, ends) for value in values), strict=True)
        return [
            pb_utils.InferenceResponse([pb_utils.Tensor(name, np.ascontiguousarray(value)) for name, value in zip(self.outputs, each, strict=True)])
            for each in rows
        ]
