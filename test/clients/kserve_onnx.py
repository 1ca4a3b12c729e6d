"""Serves ONNX files with KServe's own model server: kserve_onnx.py --model NAME=FILE --http_port 8080 --grpc_port 8081."""

from __future__ import annotations

import argparse

import grpc.aio
import uvicorn
from kserve import InferOutput, InferRequest, InferResponse, Model, ModelServer, model_server

from onnx_session import describe, open_session


class OnnxModel(Model):
    def __init__(self, name: str, path: str) -> None:
        super().__init__(name)
        self._session = open_session(path)
        self._inputs = describe(self._session.get_inputs())
        self._outputs = describe(self._session.get_outputs())
        self.ready = True

    def predict(self, payload: InferRequest, headers: dict[str, str] | None = None) -> InferResponse:
        names = [name for name, _, _ in self._outputs]
        results = self._session.run(names, {tensor.name: tensor.as_numpy() for tensor in payload.inputs})
        outputs = []
        for (name, datatype, _), result in zip(self._outputs, results):
            output = InferOutput(name, list(result.shape), datatype)
            output.set_data_from_numpy(result, binary_data=True)
            outputs.append(output)
        return InferResponse(payload.id, self.name, outputs)

    async def get_input_types(self) -> list[dict[str, object]]:
        return [{"name": n, "datatype": d, "shape": s} for n, d, s in self._inputs]

    async def get_output_types(self) -> list[dict[str, object]]:
        return [{"name": n, "datatype": d, "shape": s} for n, d, s in self._outputs]


def stay_on_loopback() -> None:
    """KServe listens on all addresses and has no setting for it."""
    server = type(grpc.aio.server())
    add_insecure_port = server.add_insecure_port
    server.add_insecure_port = lambda self, address: add_insecure_port(self, address.replace("[::]", "127.0.0.1"))
    init = uvicorn.Config.__init__
    uvicorn.Config.__init__ = lambda self, *args, **settings: init(self, *args, **{**settings, "host": "127.0.0.1"})


def main() -> None:
    stay_on_loopback()
    parser = argparse.ArgumentParser(parents=[model_server.parser], conflict_handler="resolve")
    parser.add_argument("--model", action="append", required=True, metavar="NAME=FILE", help="may be given again")
    options = parser.parse_args()
    models = [OnnxModel(*pair.split("=", 1)) for pair in options.model]
    ModelServer(http_port=options.http_port, grpc_port=options.grpc_port, workers=1).start(models)


if __name__ == "__main__":
    main()
