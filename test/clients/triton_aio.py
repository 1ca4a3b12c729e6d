"""Sends many inferences at once with tritonclient's asyncio client and checks each reply against its own request.

The model must give each input back as the output of the same position, as the identity models do. Call n carries rows
that only it carries, so that a reply which reached a wrong caller is seen. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections import Counter
from typing import Any

import numpy as np
import tritonclient.grpc.aio as triton
from tritonclient.utils import InferenceServerException, triton_to_np_dtype

from tensors import add_common_arguments


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_common_arguments(parser)
    parser.add_argument("model")
    parser.add_argument("--input", default="x")
    parser.add_argument("--output", default="y")
    parser.add_argument("--datatype", default="FP32")
    parser.add_argument("--width", type=int, default=4, help="elements in a row")
    parser.add_argument("--calls", type=int, default=100)
    parser.add_argument("--max-rows", type=int, default=4, help="call n has n %% max + 1 rows")
    parser.add_argument("--cancel-every", type=int, default=0, help="cancel each nth call right after it is sent; 0: none")
    return parser.parse_args()


async def one(client: triton.InferenceServerClient, options: argparse.Namespace, number: int) -> str:
    rows = number % options.max_rows + 1
    kind = triton_to_np_dtype(options.datatype)
    sent = (np.arange(rows * options.width) + number * 1_000).reshape(rows, options.width).astype(kind)
    tensor = triton.InferInput(options.input, list(sent.shape), options.datatype)
    tensor.set_data_from_numpy(sent)
    call = asyncio.ensure_future(client.infer(options.model, [tensor], request_id=str(number), client_timeout=options.timeout))
    if options.cancel_every and number % options.cancel_every == 0:
        await asyncio.sleep(0)
        call.cancel()
    try:
        result = await call
    except asyncio.CancelledError:
        return "cancelled"
    except InferenceServerException as error:
        return str(error.status())
    if result.get_response().id != str(number):
        return "wrong id"
    got = result.as_numpy(options.output)
    return "ok" if got is not None and got.dtype == sent.dtype and np.array_equal(got, sent) else "wrong reply"


async def run(options: argparse.Namespace) -> dict[str, Any]:
    async with triton.InferenceServerClient(options.address) as client:
        outcomes = await asyncio.gather(*(one(client, options, number) for number in range(options.calls)))
    return {"calls": options.calls, "outcomes": dict(Counter(outcomes))}


def main() -> None:
    print(json.dumps(asyncio.run(run(parse_arguments()))))


if __name__ == "__main__":
    main()
