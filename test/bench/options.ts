import { parseArgs } from 'node:util';
import { suggest } from '@headrace/runtime';
import type { Lengths } from './scenarios/scenario.js';

export interface BenchOptions {
  readonly action: 'run' | 'list' | 'help';
  /** Names of scenarios; empty: all. */
  readonly only: readonly string[];
  readonly repeats: number;
  readonly lengths: Lengths;
  readonly jsonFile: string | undefined;
  readonly profileFolder: string | undefined;
}

export type ParsedOptions = { readonly ok: true; readonly options: BenchOptions } | { readonly ok: false; readonly message: string };

export const help = `npm run bench -- [options]

Measures Headrace beside the bare onnxruntime loop, MLServer, KServe's server and Triton, all on this machine and loopback.
A full run takes about half an hour; peers and models are installed into the cache on first use.

  --list            names of the scenarios
  --only A,B        only these
  --quick           one round of short measurements: shows that all runs, proves nothing
  --repeats N       rounds, medians of which are reported (default 3)
  --json FILE       all figures of all rounds
  --profile FOLDER  V8 CPU profiles of Headrace's processes (slows them: not for figures)
  --help            this text
`;

const usual: Lengths = { warmUpS: 3, measureS: 10, rawS: 3, manyModels: 1000 };
const quick: Lengths = { warmUpS: 1, measureS: 2, rawS: 1, manyModels: 50 };
const usualRepeats = 3;
const maxRepeats = 99;

export function parseOptions(args: readonly string[], known: readonly string[]): ParsedOptions {
  let values;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        list: { type: 'boolean' },
        help: { type: 'boolean' },
        quick: { type: 'boolean' },
        only: { type: 'string', multiple: true },
        repeats: { type: 'string' },
        json: { type: 'string' },
        profile: { type: 'string' },
      },
    }));
  } catch (error) {
    return { ok: false, message: error instanceof Error ? error.message : String(error) };
  }
  const only = (values.only ?? []).flatMap((list) => list.split(',')).filter((name) => name !== '');
  for (const name of only) {
    if (known.includes(name)) continue;
    const near = suggest(name, known);
    return {
      ok: false,
      message: `--only: expected one of ${known.join(', ')}; got ${JSON.stringify(name)}${near === undefined ? '' : `: did you mean ${near}?`}`,
    };
  }
  const repeats = Number(values.repeats ?? (values.quick === true ? 1 : usualRepeats));
  if (!Number.isInteger(repeats) || repeats < 1 || repeats > maxRepeats) {
    return { ok: false, message: `--repeats: expected a whole number from 1 to ${maxRepeats}; got ${JSON.stringify(values.repeats)}` };
  }
  const action = values.help === true ? 'help' : values.list === true ? 'list' : 'run';
  const lengths = values.quick === true ? quick : usual;
  return { ok: true, options: { action, only, repeats, lengths, jsonFile: values.json, profileFolder: values.profile } };
}
