import { parseTable } from '@headrace/gateway';
import { Admission } from '@headrace/gateway/testing';
import type { Entrant, Grant } from '@headrace/gateway/testing';
import { tenantOrder } from '../workload/tenant-order.js';
import type { AdmissionPlan, AdmissionResult } from './admission-protocol.js';

const model = 'm';
/** A power of two; each grant is held while so many others come. */
const underWay = 64;
const orderLength = 1 << 19;
/** The clock is read so seldom that it does not count. */
const requestsPerClock = 64;
const rounds = 5;

/**
 * Requests as the transport hands them over: the name is a new string each time, as it comes off the wire, and no string
 * that the tenants' map has.
 */
class Names {
  readonly #bytes = Buffer.from('tenant-000000');

  next(tenant: number): string {
    let left = tenant;
    for (let at = this.#bytes.length - 1; at > 6; at--) {
      this.#bytes[at] = 48 + (left % 10);
      left = Math.floor(left / 10);
    }
    return this.#bytes.toString('latin1');
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function usedBytes(): number {
  if (globalThis.gc === undefined) throw new Error('expected --expose-gc');
  globalThis.gc();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** CPU of one pass over the order for each request, in ns, while `each` handles them. */
function cpuNs(order: Uint32Array, forMs: number, each: (tenant: number, nowMs: number) => void): number {
  let requests = 0;
  let nowMs = performance.now();
  const endMs = nowMs + forMs;
  const began = process.cpuUsage();
  while (nowMs < endMs) {
    for (let index = 0; index < requestsPerClock; index++) each(order[(requests + index) & (orderLength - 1)] ?? 0, nowMs);
    requests += requestsPerClock;
    nowMs = performance.now();
  }
  const { user, system } = process.cpuUsage(began);
  return ((user + system) * 1000) / requests;
}

/** The floor: a new string of each name, found in a Map that holds nothing but numbers. */
function lookUpNs(tenants: number, order: Uint32Array, roundMs: number): number {
  const names = new Names();
  const numbers = new Map<string, number>();
  for (let number = 0; number < tenants; number++) numbers.set(names.next(number), number);
  let sum = 0;
  const find = (number: number): void => void (sum += numbers.get(names.next(number)) ?? 0);
  const empty = (number: number): void => void (sum += names.next(number).length);
  cpuNs(order, roundMs, find);
  cpuNs(order, roundMs, empty);
  const differences: number[] = [];
  for (let round = 0; round < rounds; round++) differences.push(cpuNs(order, roundMs, find) - cpuNs(order, roundMs, empty));
  if (sum === 0) throw new Error('nothing was found');
  return median(differences);
}

function main(plan: AdmissionPlan): AdmissionResult {
  const parsed = parseTable(plan.table, 'table');
  if (!parsed.ok) throw new Error(`the table: ${JSON.stringify(parsed)}`);
  const table = parsed.value;
  const order = tenantOrder(plan.order, plan.tenants, orderLength);
  const names = new Names();
  const admission = new Admission({ table });
  const before = usedBytes();

  const grants: (Grant | undefined)[] = Array.from({ length: underWay });
  let at = 0;
  const handle = (number: number, nowMs: number): void => {
    const tenant = admission.tenantOf({ tenant: names.next(number), tier: undefined, proven: true }, nowMs);
    const entrant: Entrant = { tenant, model, policy: table.defaults, revision: '1', rows: 1, band: 3, returning: false };
    const granted = admission.admit(entrant, nowMs);
    if ('reason' in granted) throw new Error(`refused: ${granted.reason}`);
    const oldest = grants[at];
    grants[at] = granted;
    at = (at + 1) & (underWay - 1);
    if (oldest !== undefined) admission.release(oldest, { latencyMs: 5, serviceMs: 1, used: true }, nowMs);
  };
  let length = 0;
  const empty = (number: number): void => {
    const caller = { tenant: names.next(number), tier: undefined, proven: true };
    length += caller.tenant.length;
  };

  for (let number = 0; number < plan.tenants; number++) handle(number, performance.now());
  const tenantsMb = (usedBytes() - before) / 1e6;
  const roundMs = plan.durationMs / rounds / 2;
  // The first pair of rounds is for the compiler.
  cpuNs(order, roundMs, handle);
  cpuNs(order, roundMs, empty);
  const differences: number[] = [];
  for (let round = 0; round < rounds; round++) differences.push(cpuNs(order, roundMs, handle) - cpuNs(order, roundMs, empty));
  if (length === 0) throw new Error('nothing was done');
  return { cpuNsPerRequest: median(differences), lookUpNs: lookUpNs(plan.tenants, order, roundMs), tenantsMb };
}

console.log(JSON.stringify(main(JSON.parse(process.argv[2] ?? '{}') as AdmissionPlan)));
