import type { ParameterValue } from '@headrace/proto';
import { requestParameter, writeInferRequest } from '@headrace/proto';
import type { Command } from 'commander';
import { Option } from 'commander';
import { parseReply } from '../client/infer-reply.js';
import type { InferReply } from '../client/infer-reply.js';
import type { TargetFlags } from '../client/target.js';
import { nonNegativeInteger, positiveNumber, withTargetFlags } from '../client/target.js';
import { usageFailure } from '../failure.js';
import type { Io } from '../io.js';
import { formatMs, plural } from '../render/numbers.js';
import { renderTensors } from '../render/tensors.js';
import { callName } from './call-name.js';
import type { CommandContext } from './command.js';
import { newCommand, withClient, writeJson } from './command.js';
import type { InputFlags } from './model-inputs.js';
import { readRequest, withInputFlags } from './model-inputs.js';

interface InferFlags extends TargetFlags, InputFlags {
  readonly output: 'table' | 'json';
  readonly json?: boolean;
  readonly priority?: number;
  readonly requestTimeout?: number;
  readonly modelVersion: string;
}

export function inferCommand(context: CommandContext): Command {
  const command = newCommand(
    'infer',
    'send one inference request and print the answer',
    [
      { line: 'npx headrace infer ranker --input services/demo/example.json' },
      {
        line: `echo '{"history": [[50, 181, 172]]}' | npx headrace infer ranker --input -`,
        note: 'nested lists; datatypes from the model',
      },
      { line: 'npx headrace infer ranker --random --rows 4 --output json', note: 'no data at hand' },
      { line: 'npx headrace infer ranker --input q.json --priority 1', note: 'ahead of the rest' },
    ],
    `Input: {"name": nested list, ...}, or OIP JSON {"inputs": [{"name", "shape", "datatype", "data"}]}.
  Integers past 2^53 and "NaN", "Infinity" are written as strings, BYTES as text or {"b64": "..."}.`,
  ).argument('<model>', 'name of the model');
  withInputFlags(command)
    .option('--random', 'random inputs that fit the model (instead of --input)')
    .option('--priority <n>', '1 is highest, 0 the default', nonNegativeInteger)
    .option('--request-timeout <ms>', 'longest wait in the server before the run starts, in milliseconds', positiveNumber)
    .addOption(new Option('--model-version <version>', 'which version').default('', 'what the server chooses'))
    .optionsGroup('Output:')
    .addOption(new Option('--output <format>', 'table or json (OIP JSON)').choices(['table', 'json']).default('table'))
    .option('--json', 'the same as --output json');
  return withTargetFlags(command, context.io).action((model: string, flags: InferFlags) => infer(model, flags, context.io));
}

async function infer(model: string, flags: InferFlags, io: Io): Promise<void> {
  if ((flags.input === undefined) === (flags.random !== true)) {
    if (flags.random === true) throw usageFailure('--input and --random exclude each other');
    throw usageFailure(
      'nothing to send: give --input FILE, --input - or --random',
      `${callName(io)} models ${model} tells what it takes, with an example`,
    );
  }
  await withClient(flags, io, async (client) => {
    const body = await readRequest(flags, await client.model(model, flags.modelVersion), io);
    const parameters = new Map<string, ParameterValue>(body.parameters);
    if (flags.priority !== undefined) parameters.set(requestParameter.priority, BigInt(flags.priority));
    if (flags.requestTimeout !== undefined) parameters.set(requestParameter.timeoutUs, BigInt(Math.ceil(flags.requestTimeout * 1000)));
    const request = writeInferRequest({ ...body, parameters, modelName: model, modelVersion: flags.modelVersion });
    const startMs = io.clock.nowMs();
    const reply = parseReply(await client.infer(request, `infer ${model}`));
    if (flags.json === true || flags.output === 'json') writeJson(io, oipJson(reply));
    else io.stdout.write(renderReply(reply, io.clock.nowMs() - startMs, io));
  });
}

function oipJson(reply: InferReply): unknown {
  return {
    model_name: reply.modelName,
    model_version: reply.modelVersion,
    ...(reply.id === '' ? {} : { id: reply.id }),
    ...(reply.parameters.size === 0 ? {} : { parameters: reply.parameters }),
    outputs: reply.outputs.map(({ name, datatype, shape, leaves }) => ({ name, datatype, shape, data: leaves })),
  };
}

function renderReply(reply: InferReply, tookMs: number, { colors }: Io): string {
  const run = reply.run;
  const cost =
    run === undefined ? '' : `, of which the run ${formatMs(run.runMs)}${run.rows > 1 ? ` (${plural(run.rows, 'row')} together)` : ''}`;
  const version = reply.modelVersion === '' ? '' : ` version ${reply.modelVersion}`;
  return `${colors.dim(`${reply.modelName}${version}: ${formatMs(tookMs)}${cost}`)}\n${renderTensors(reply.outputs, colors)}`;
}
