import { fileURLToPath } from 'node:url';
import { Metadata } from '@headrace/wire';
import { mustRun } from '../../harness/command.js';
import { tableText } from '../../harness/platform.js';
import { closedLoad } from '../loads/closed-load.js';
import { inferPath } from '../loads/grpc-client.js';
import { measureUsage, processTree } from '../loads/usage.js';
import { judge } from '../report/verdict.js';
import type { AdmissionPlan, AdmissionResult } from '../subjects/admission-protocol.js';
import { startEcho } from '../subjects/echo.js';
import { startGatewayBefore } from '../subjects/gateway-before.js';
import { firstReply } from '../subjects/started.js';
import { echoInferRequest, echoModel } from '../workload/echo-messages.js';
import { tenantOrder } from '../workload/tenant-order.js';
import type { TenantOrder } from '../workload/tenant-order.js';
import { wireArm, wireArmName } from './echo.js';
import type { Arm, BenchContext, Scenario } from './scenario.js';

const few = 1_000;
const many = 100_000;
const header = 'x-headrace-tenant';
const inFlight = 128;
const orderLength = 1 << 16;

/** All kinds of limits, none of which is reached. */
const wide = 1e9;
const trafficPolicy = {
  identity: [{ header, trustHeader: true }],
  tiers: [
    {
      name: 'all',
      requestsPerSecond: wide,
      burst: wide,
      computeMillisecondsPerSecond: wide,
      computeBurstMilliseconds: wide,
      concurrency: 1e6,
    },
  ],
  defaultTier: 'all',
};
/** As the proxy scenario has it: no batching, no waiting. */
const models = [
  { name: echoModel, batching: { maxBatchRows: 0 }, priority: { bands: 1, default: 1, bypass: 1, bypassMaxSharePercent: 100 } },
];

function count(tenants: number): string {
  return tenants.toLocaleString('en-US');
}

function admissionName(tenants: number, order: TenantOrder): string {
  return `admission alone, ${count(tenants)} tenants, ${order}`;
}

/** Admission in a process of its own, without a network. */
function admissionArm({ lengths }: BenchContext, tenants: number, order: TenantOrder): Arm {
  return {
    name: admissionName(tenants, order),
    measure: async () => {
      const main = fileURLToPath(new URL('../subjects/admission-main.js', import.meta.url));
      const table = tableText({ backends: [{ name: 'none', address: '127.0.0.1:1' }], trafficPolicy });
      const plan: AdmissionPlan = { tenants, order, durationMs: lengths.measureS * 1000, table };
      const run = (): Promise<string> => mustRun(process.execPath, ['--expose-gc', main, JSON.stringify(plan)], {});
      const usage = await measureUsage([], run);
      const { cpuNsPerRequest, lookUpNs, tenantsMb } = JSON.parse(usage.result) as AdmissionResult;
      return { cpuUsPerRequest: cpuNsPerRequest / 1000, lookUpUs: lookUpNs / 1000, tenantsMb, otherCores: usage.otherCores };
    },
  };
}

interface GatewayCase {
  readonly tenants: number;
  readonly policy: boolean;
}

function gatewayName({ tenants, policy }: GatewayCase): string {
  return `gateway, ${count(tenants)} tenants, ${policy ? 'policy' : 'no policy'}`;
}

/** Callers in a uniform order, each request with the header of its own. */
function gatewayArm(context: BenchContext, which: GatewayCase): Arm {
  const { lengths, profileFolder } = context;
  return {
    name: gatewayName(which),
    measure: async () => {
      const echo = await startEcho({ wire: 'http2', profileFolder });
      try {
        const table = which.policy ? { models, trafficPolicy } : { models };
        const gateway = await startGatewayBefore({ backend: echo.address, table, profileFolder });
        try {
          const message = echoInferRequest();
          await firstReply(gateway, { what: 'the echo behind the gateway', path: inferPath, message: () => message });
          const order = tenantOrder('uniform', which.tenants, orderLength);
          const callers = Array.from({ length: which.tenants }, (_, index) => Metadata.of({ [header]: `tenant-${index}` }));
          const callerAt = (index: number): Metadata => callers[index % callers.length] ?? new Metadata();
          const load = { address: gateway.address, messages: [message], inFlight };
          // Once each, so that all are known.
          await closedLoad({ ...load, calls: which.tenants, durationMs: 60_000, metadata: callerAt });
          const random = (call: number): Metadata => callerAt(order[call % orderLength] ?? 0);
          await closedLoad({ ...load, durationMs: lengths.warmUpS * 1000, metadata: random });
          const pids = processTree(gateway.pids);
          const measured = (): ReturnType<typeof closedLoad> =>
            closedLoad({ ...load, durationMs: lengths.measureS * 1000, metadata: random });
          const usage = await measureUsage(pids, measured, echo.pids);
          return { cpuUsPerRequest: usage.cpuUs / usage.result.count, requestsPerS: usage.result.perS, otherCores: usage.otherCores };
        } finally {
          await gateway.stop();
        }
      } finally {
        await echo.stop();
      }
    },
  };
}

const gatewayCases: readonly GatewayCase[] = [
  { tenants: few, policy: false },
  { tenants: few, policy: true },
  { tenants: many, policy: false },
  { tenants: many, policy: true },
];

export const admissionCpu: Scenario = {
  name: 'admission-cpu',
  title: `what admission takes with ${count(few)} and ${count(many)} tenants, beside the transport's unary call, and what it adds to a gateway's request`,
  columns: [
    { key: 'cpuUsPerRequest', title: 'CPU us/request', digits: 2 },
    { key: 'lookUpUs', title: 'of a bare Map us', digits: 2 },
    { key: 'tenantsMb', title: 'tenants MB', digits: 1 },
    { key: 'requestsPerS', title: 'requests/s', digits: 0 },
    { key: 'otherCores', title: 'cores used by others', digits: 2 },
  ],
  arms: (context) => [
    wireArm(context),
    ...(['zipf', 'uniform'] as const).flatMap((order) => [few, many].map((tenants) => admissionArm(context, tenants, order))),
    ...gatewayCases.map((each) => gatewayArm(context, each)),
  ],
  judge: (rounds) => [
    judge({
      target: `admission's CPU per request with ${count(few)} tenants in uniform order / the transport's per unary call <= 1`,
      rounds,
      compute: (of) => of(admissionName(few, 'uniform'), 'cpuUsPerRequest') / of(wireArmName, 'cpuUsPerRequest'),
      bound: { atMost: 1 },
    }),
    ...(['zipf', 'uniform'] as const).map((order) =>
      judge({
        target: `admission's CPU per request with ${count(many)} tenants / with ${count(few)}, ${order} order <= 1.1`,
        rounds,
        compute: (of) => of(admissionName(many, order), 'cpuUsPerRequest') / of(admissionName(few, order), 'cpuUsPerRequest'),
        bound: { atMost: 1.1 },
      }),
    ),
    judge({
      target: `what a policy adds to the gateway's CPU per request with ${count(few)} tenants / the transport's per unary call <= 1`,
      rounds,
      compute: (of) =>
        (of(gatewayName({ tenants: few, policy: true }), 'cpuUsPerRequest') -
          of(gatewayName({ tenants: few, policy: false }), 'cpuUsPerRequest')) /
        of(wireArmName, 'cpuUsPerRequest'),
      bound: { atMost: 1 },
    }),
    judge({
      target: `the gateway's CPU per request with a policy, ${count(many)} tenants / ${count(few)} <= 1.1`,
      rounds,
      compute: (of) =>
        of(gatewayName({ tenants: many, policy: true }), 'cpuUsPerRequest') /
        of(gatewayName({ tenants: few, policy: true }), 'cpuUsPerRequest'),
      bound: { atMost: 1.1 },
    }),
    judge({
      target: `memory of ${count(many)} tenants in MB <= 100`,
      rounds,
      compute: (of) => of(admissionName(many, 'uniform'), 'tenantsMb'),
      bound: { atMost: 100 },
    }),
  ],
};
