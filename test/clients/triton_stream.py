"""Sends inferences over one bidirectional stream with tritonclient and prints the replies in order of arrival as JSON."""

from __future__ import annotations

import argparse
import json
import queue
from typing import Any

import tritonclient.grpc as triton
from tritonclient.utils import InferenceServerException

from tensors import add_common_arguments, from_error, from_result, to_inputs


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    add_common_arguments(parser)
    parser.add_argument("--requests", required=True, help='JSON list of {"model": NAME, "id": TEXT, "inputs": [tensors, see tensors.py]}')
    return parser.parse_args()


def main() -> None:
    options = parse_arguments()
    requests = json.loads(options.requests)
    arrived: queue.Queue[dict[str, Any]] = queue.Queue()

    def receive(result: Any, error: InferenceServerException | None) -> None:
        arrived.put(from_result(result) if error is None else from_error(error))

    with triton.InferenceServerClient(options.address) as client:
        client.start_stream(receive)
        for request in requests:
            inputs = to_inputs(triton, json.dumps(request["inputs"]))
            client.async_stream_infer(request["model"], inputs, request_id=request["id"])
        replies = [arrived.get(timeout=options.timeout) for _ in requests]
        client.stop_stream()
    print(json.dumps({"replies": replies}))


if __name__ == "__main__":
    main()
