"""A runtime for MLServer that serves one ONNX file; model-settings.json names the file as parameters.uri."""

from __future__ import annotations

from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse, MetadataTensor

from onnx_session import describe, open_session


class OnnxModel(MLModel):
    async def load(self) -> bool:
        self._session = open_session(self.settings.parameters.uri)
        self.inputs = [MetadataTensor(name=n, datatype=d, shape=s) for n, d, s in describe(self._session.get_inputs())]
        self.outputs = [MetadataTensor(name=n, datatype=d, shape=s) for n, d, s in describe(self._session.get_outputs())]
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        feeds = {tensor.name: NumpyCodec.decode_input(tensor) for tensor in payload.inputs}
        names = [output.name for output in self.outputs]
        results = self._session.run(names, feeds)
        outputs = [NumpyCodec.encode_output(name, result) for name, result in zip(names, results)]
        return InferenceResponse(id=payload.id, model_name=self.name, model_version=self.version, outputs=outputs)
