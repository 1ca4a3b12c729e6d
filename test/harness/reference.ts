import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { paths } from './paths.js';

/** What a model of test/models answers when onnxruntime runs it in this process: the truth that servers are held to. */
export async function referenceFp32(
  model: string,
  input: { readonly name: string; readonly shape: readonly number[]; readonly data: readonly number[] },
  output: string,
): Promise<readonly number[]> {
  const session = await InferenceSession.create(join(paths.models, model, '1', 'model.onnx'), { intraOpNumThreads: 1 });
  try {
    const results = await session.run({ [input.name]: new Tensor('float32', Float32Array.from(input.data), [...input.shape]) });
    const data = results[output]?.data;
    if (!(data instanceof Float32Array)) throw new Error(`${model} has no FP32 output ${output}`);
    return [...data];
  } finally {
    await session.release();
  }
}
