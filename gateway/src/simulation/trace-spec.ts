import { suggest } from '@headrace/runtime';
import type { Result } from '@headrace/runtime';
import { maxRowsOfRequest } from './arrival.js';
import type { Arrival } from './arrival.js';
import type { SimulatedBackend } from './fleet.js';
import { plainMix, requestsAt } from './mix.js';
import type { RequestMix, Weighted } from './mix.js';
import { bursts, diurnal, flash, poisson } from './moments.js';
import type { Moments } from './moments.js';
import { randomStream } from './random.js';
import type { Random } from './random.js';
import { Settings, parseDurationMs } from './settings.js';

export const traceKinds = ['poisson', 'bursts', 'diurnal', 'heavy-tenant', 'slow-backend', 'flash'] as const;
export type TraceKind = (typeof traceKinds)[number];

/** A made trace, ready to be drawn: for each seed another, for the same seed the same. */
export interface MadeTrace {
  readonly kind: TraceKind;
  /** Without an end. `stream` tells traces of one seed apart. */
  arrivals(seed: number, stream: number): Iterable<Arrival>;
  /** What the trace does to the backends besides sending requests. */
  readonly slow: { readonly fromMs: number; readonly untilMs: number; readonly factor: number; readonly backend: number } | undefined;
}

/** Is this a made trace, as "poisson:rate=200" and "flash" are, rather than a file's name? */
export function isTraceSpec(text: string): boolean {
  const kind = text.split(':', 1)[0] ?? '';
  return (traceKinds as readonly string[]).includes(kind) || /^[a-z-]+:[a-zA-Z]+=/.test(text);
}

/** "kind:key=value,...". All problems at once, each with the flag, the key, what was expected and what came. */
export function parseTraceSpec(text: string): Result<MadeTrace, readonly string[]> {
  const colon = text.indexOf(':');
  const name = colon < 0 ? text : text.slice(0, colon);
  const kind = traceKinds.find((one) => one === name);
  if (kind === undefined) {
    const near = suggest(name, traceKinds);
    const hint = near === undefined ? '' : `; did you mean ${near}?`;
    return { ok: false, refusal: [`--trace: expected one of ${traceKinds.join(', ')} or a file, got ${JSON.stringify(name)}${hint}`] };
  }
  const settings = new Settings(`--trace ${kind}`, colon < 0 ? '' : text.slice(colon + 1));
  const perSecond = settings.number('rate', 100, { aboveMin: true, max: 1e6 });
  const moments = momentsOf(kind, perSecond, settings);
  const mix = mixOf(kind, settings);
  const slow = kind === 'slow-backend' ? slowOf(settings) : undefined;
  const problems = settings.problems();
  if (problems.length > 0) return { ok: false, refusal: problems };
  const arrivals = (seed: number, stream: number): Iterable<Arrival> =>
    // Two streams each: another mix moves no arrival.
    requestsAt(moments(randomStream(seed, 2 * stream)), mix, randomStream(seed, 2 * stream + 1));
  return { ok: true, value: { kind, arrivals, slow } };
}

function momentsOf(kind: TraceKind, perSecond: number, settings: Settings): (random: Random) => Moments {
  switch (kind) {
    case 'poisson':
    case 'heavy-tenant':
    case 'slow-backend':
      return (random) => poisson(perSecond, random);
    case 'bursts': {
      const factor = settings.number('factor', 10, { min: 1, max: 1e4 });
      const onMs = settings.ms('on', 1000, { aboveMin: true });
      const offMs = settings.ms('off', 9000, { aboveMin: true });
      return (random) => bursts({ perSecond, factor, onMs, offMs }, random);
    }
    case 'diurnal': {
      const periodMs = settings.ms('period', 60_000, { aboveMin: true });
      const depth = settings.number('depth', 0.8, { max: 1 });
      return (random) => diurnal({ perSecond, periodMs, depth }, random);
    }
    case 'flash': {
      const factor = settings.number('factor', 10, { max: 1e4 });
      const fromMs = settings.ms('at', 20_000);
      const forMs = settings.ms('for', 10_000, { aboveMin: true });
      return (random) => flash({ perSecond, factor, fromMs, forMs }, random);
    }
  }
}

function mixOf(kind: TraceKind, settings: Settings): RequestMix {
  const name = (text: string): string | undefined => (text === '' || text.length > 128 ? undefined : text);
  const whole = (min: number, max: number) => (text: string) => {
    const value = Number(text);
    return text !== '' && Number.isInteger(value) && value >= min && value <= max ? value : undefined;
  };
  return {
    tenants: kind === 'heavy-tenant' ? heavyTenants(settings) : tenantsOf(settings),
    tier: settings.text('tier'),
    priorities: settings.weighted<number | undefined>(
      'priority',
      plainMix.priorities,
      'a whole number from 1 (the highest) to 1000',
      whole(1, 1000),
    ),
    rows: settings.weighted('rows', plainMix.rows, `a whole number from 1 to ${maxRowsOfRequest}`, whole(1, maxRowsOfRequest)),
    deadlinesMs: settings.weighted('deadline', plainMix.deadlinesMs, 'a time such as 50ms', (text) => {
      const ms = parseDurationMs(text);
      return ms > 0 ? ms : undefined;
    }),
    models: settings.weighted<string | undefined>('model', plainMix.models, "a model's name", name),
  };
}

/** "tenants=20": t1 to t20 alike; "tenants=gold*3+free": by name. */
function tenantsOf(settings: Settings): readonly Weighted<string>[] {
  const text = settings.text('tenants');
  if (text !== undefined && /^\d+$/.test(text)) return numbered(settings.integer('tenants', 1, { min: 1, max: 100_000 }));
  return settings.weighted('tenants', plainMix.tenants, 'a number of tenants or names', (name) =>
    /^[^\s*+]{1,128}$/.test(name) ? name : undefined,
  );
}

/** One at `factor` times what each other asks for; the rate is that of all of them. */
function heavyTenants(settings: Settings): readonly Weighted<string>[] {
  const count = settings.integer('tenants', 10, { min: 2, max: 100_000 });
  const factor = settings.number('factor', 10, { aboveMin: true, max: 1e6 });
  return [{ value: 'heavy', weight: factor }, ...numbered(count - 1)];
}

function numbered(count: number): readonly Weighted<string>[] {
  return Array.from({ length: count }, (_, index) => ({ value: `t${index + 1}`, weight: 1 }));
}

function slowOf(settings: Settings): MadeTrace['slow'] {
  const fromMs = settings.ms('at', 20_000);
  const forMs = settings.ms('for', 20_000, { aboveMin: true });
  const factor = settings.number('factor', 5, { aboveMin: true, max: 1e4 });
  const backend = settings.integer('backend', 1, { min: 1, max: 10_000 });
  return { fromMs, untilMs: fromMs + forMs, factor, backend: backend - 1 };
}

/** With what the trace does to them. A backend that is not there is a problem. */
export function slowedBackends(
  trace: MadeTrace,
  backends: readonly SimulatedBackend[],
): Result<readonly SimulatedBackend[], readonly string[]> {
  const { slow } = trace;
  if (slow === undefined) return { ok: true, value: backends };
  if (slow.backend >= backends.length)
    return { ok: false, refusal: [`--trace slow-backend: backend: expected 1 to ${backends.length}, got ${slow.backend + 1}`] };
  return { ok: true, value: backends.map((each, index) => (index === slow.backend ? { ...each, slow: [...each.slow, slow] } : each)) };
}
