"""Calls a server with tritonclient's synchronous gRPC client and prints what came back as one JSON object."""

from __future__ import annotations

import argparse
import json
from typing import Any

import tritonclient.grpc as triton
from tritonclient.utils import InferenceServerException

from tensors import add_common_arguments, from_error, from_result, to_inputs


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    add_common_arguments(parser)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("server", help="live, ready, metadata and the repository index")
    for name, words in (
        ("model", "ready and metadata of a model"),
        ("config", "its configuration"),
        ("statistics", "its statistics"),
        ("load", "load it"),
        ("unload", "unload it"),
    ):
        add_model(commands.add_parser(name, help=words))
    infer = commands.add_parser("infer", help="one inference")
    add_model(infer)
    infer.add_argument("--inputs", required=True, help="JSON list of tensors, see tensors.py")
    infer.add_argument("--outputs", nargs="*", help="names; default: all")
    infer.add_argument("--id", default="")
    infer.add_argument("--priority", type=int, default=0)
    infer.add_argument("--queue-timeout-us", type=int)
    infer.add_argument("--header", action="append", default=[], metavar="NAME=VALUE", help="gRPC metadata; may be given again")
    return parser.parse_args()


def add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model")
    parser.add_argument("--version", default="")


def call(client: triton.InferenceServerClient, options: argparse.Namespace) -> dict[str, Any]:
    seconds = options.timeout
    match options.command:
        case "server":
            return {
                "live": client.is_server_live(client_timeout=seconds),
                "ready": client.is_server_ready(client_timeout=seconds),
                "metadata": client.get_server_metadata(as_json=True, client_timeout=seconds),
                "index": client.get_model_repository_index(as_json=True, client_timeout=seconds).get("models", []),
            }
        case "model":
            return {
                "ready": client.is_model_ready(options.model, options.version, client_timeout=seconds),
                "metadata": client.get_model_metadata(options.model, options.version, as_json=True, client_timeout=seconds),
            }
        case "config":
            return client.get_model_config(options.model, options.version, as_json=True, client_timeout=seconds)
        case "statistics":
            return client.get_inference_statistics(options.model, options.version, as_json=True, client_timeout=seconds)
        case "load":
            client.load_model(options.model, client_timeout=seconds)
            return {"done": True}
        case "unload":
            client.unload_model(options.model, client_timeout=seconds)
            return {"done": True}
        case _:
            return infer(client, options)


def infer(client: triton.InferenceServerClient, options: argparse.Namespace) -> dict[str, Any]:
    outputs = None if options.outputs is None else [triton.InferRequestedOutput(name) for name in options.outputs]
    result = client.infer(
        options.model,
        to_inputs(triton, options.inputs),
        model_version=options.version,
        outputs=outputs,
        request_id=options.id,
        priority=options.priority,
        timeout=options.queue_timeout_us,
        client_timeout=options.timeout,
        headers=dict(pair.split("=", 1) for pair in options.header) or None,
    )
    return from_result(result)


def main() -> None:
    options = parse_arguments()
    with triton.InferenceServerClient(options.address) as client:
        try:
            print(json.dumps(call(client, options)))
        except InferenceServerException as error:
            print(json.dumps(from_error(error)))


if __name__ == "__main__":
    main()
