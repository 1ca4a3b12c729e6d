import type { ProviderName } from './protocol.js';

/** onnxruntime-gpu releases carry the provider libraries that fit exactly one onnxruntime version. */
export const onnxruntimeVersion = '1.30.0';

/** Says what to do about a provider that does not load; other load errors pass through, without the source file names. */
export function explainLoadError(provider: ProviderName, message: string): string {
  const plain = message.replace(/^.*?ONNXRuntimeError\] : /, '').replace(/\/onnxruntime_src\/\S+ /, '');
  if (provider !== 'cpu' && /shared library|AppendExecutionProvider|libonnxruntime_providers/.test(message)) {
    return (
      `execution provider ${provider} did not load (${plain}). Its libraries (libonnxruntime_providers_shared.so and ` +
      `libonnxruntime_providers_${provider}.so) come from the PyPI wheel onnxruntime-gpu==${onnxruntimeVersion} and must lie beside ` +
      `onnxruntime_binding.node, with CUDA${provider === 'tensorrt' ? ' and TensorRT' : ''} on LD_LIBRARY_PATH; or state a fallback: cpu`
    );
  }
  return plain;
}
