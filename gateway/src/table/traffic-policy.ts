import type { ConfigProblem, Result } from '@headrace/runtime';
import type { TrafficPolicy } from '../domain/traffic.js';
import { trafficPolicySchema } from '../gen/traffic-policy.js';
import type { TrafficPolicy as TrafficPolicyDocument } from '../gen/traffic-policy.js';
import { checkTraffic } from './check-traffic.js';
import { loadDocument } from './load.js';
import { resolveTraffic } from './resolve-traffic.js';

/** A TrafficPolicy as a document of its own. All problems at once; `source` names the file in each. */
export function parseTrafficPolicy(text: string, source: string): Result<TrafficPolicy, readonly ConfigProblem[]> {
  const loaded = loadDocument<TrafficPolicyDocument>(trafficPolicySchema, text, source, ({ spec }, report) =>
    checkTraffic(spec, 'spec', report),
  );
  return loaded.ok ? { ok: true, value: resolveTraffic(loaded.value.spec) } : loaded;
}
