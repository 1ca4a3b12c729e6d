import { parseArgs } from 'node:util';
import { suggest } from '@headrace/runtime';
import type { Lengths } from './scenarios/scenario.js';

export interface BenchOptions {
  readonly action: 'run' | 'list' | 'help';
  /** Names of scenarios; empty: all. */
  readonly only: readonly string[];
  readonly repeats: number;
  /** Measurements wait until nobody else uses the machine, and are made again when somebody did. */
  readonly wantsQuiet: boolean;
  readonly lengths: Lengths;
  readonly jsonFile: string | undefined;
  readonly profileFolder: string | undefined;
}

export type ParsedOptions = { readonly ok: true; readonly options: BenchOptions } | { readonly ok: false; readonly message: string };

export const help = `npm run bench -- [options]

Measures Headrace beside the bare onnxruntime loop, MLServer, KServe's server and Triton, its transport beside grpc-js, and its
gateway beside Envoy and nginx; overload, neighbours, the cost of admission and a lost Redis; all on this machine and loopback. A full run takes two hours or more; peers and models are
installed into the cache on first use.

  --list            names of the scenarios
  --only A,B        only these
  --quick           one round of short measurements, on a busy machine too: shows that all runs, proves nothing
  --repeats N       rounds, medians of which are reported (default 3)
  --seconds N       length of each measurement (default 10) and of the warm-up before it
  --json FILE       all figures of all rounds
  --profile FOLDER  V8 CPU profiles of Headrace's processes (slows them: not for figures)
  --help            this text
`;

const usual = { measureS: 10, manyModels: 1000 };
const quick = { measureS: 2, manyModels: 50 };
const usualRepeats = 3;
const maxRepeats = 99;
const maxSeconds = 600;

function lengths({ measureS, manyModels }: Pick<Lengths, 'measureS' | 'manyModels'>): Lengths {
  return { measureS, manyModels, warmUpS: measureS, rawS: Math.max(1, Math.round(measureS / 4)) };
}

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
        seconds: { type: 'string' },
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
  const base = values.quick === true ? quick : usual;
  const measureS = Number(values.seconds ?? base.measureS);
  if (!Number.isInteger(measureS) || measureS < 1 || measureS > maxSeconds) {
    return { ok: false, message: `--seconds: expected a whole number from 1 to ${maxSeconds}; got ${JSON.stringify(values.seconds)}` };
  }
  const action = values.help === true ? 'help' : values.list === true ? 'list' : 'run';
  const options: BenchOptions = {
    action,
    only,
    repeats,
    wantsQuiet: values.quick !== true,
    lengths: lengths({ ...base, measureS }),
    jsonFile: values.json,
    profileFolder: values.profile,
  };
  return { ok: true, options };
}
