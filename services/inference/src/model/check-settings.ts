import type { ModelSettings, TensorSetting } from '../config/settings.js';
import type { ModelSignature, TensorSignature } from '../tensors/signature.js';

/** Where the configuration contradicts the graph: a line for each, naming the tensor, what was expected and what the graph has. */
export function settingsProblems(settings: ModelSettings, signature: ModelSignature): string[] {
  const problems = [
    ...settings.inputs.flatMap((setting) => tensorProblems('input', setting, signature.inputs)),
    ...settings.outputs.flatMap((setting) => tensorProblems('output', setting, signature.outputs)),
  ];
  for (const warmup of settings.warmup) {
    for (const name of warmup.inputs.keys()) {
      if (!signature.inputs.some((input) => input.name === name))
        problems.push(`warm-up input ${JSON.stringify(name)} is not an input of the graph`);
    }
    if (settings.batching.maxBatchSize > 0 && warmup.rows > settings.batching.maxBatchSize) {
      problems.push(`warm-up of ${warmup.rows} rows: expected at most ${settings.batching.maxBatchSize} (the largest batch)`);
    }
  }
  return problems;
}

function tensorProblems(role: string, setting: TensorSetting, declared: readonly TensorSignature[]): string[] {
  const name = JSON.stringify(setting.name);
  const found = declared.find((tensor) => tensor.name === setting.name);
  if (found === undefined)
    return [`${role} ${name} is configured but the graph has ${declared.map((tensor) => JSON.stringify(tensor.name)).join(', ')}`];
  const problems: string[] = [];
  if (setting.datatype !== undefined && setting.datatype !== found.datatype) {
    problems.push(`${role} ${name}: configured as ${setting.datatype}, the graph has ${found.datatype}`);
  }
  const { shape } = setting;
  if (shape !== undefined) {
    // An output of unknown rank reads [] in the graph's metadata.
    const unknown = role === 'output' && found.shape.length === 0;
    const fits =
      unknown ||
      (shape.length === found.shape.length &&
        shape.every((dim, index) => dim === -1 || found.shape[index] === -1 || dim === found.shape[index]));
    if (!fits)
      problems.push(
        `${role} ${name}: configured with shape [${shape.join(',')}] (batch axis included), the graph has [${found.shape.join(',')}]`,
      );
  }
  return problems;
}
