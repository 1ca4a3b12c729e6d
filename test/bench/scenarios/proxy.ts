import { makeCertificates } from '@headrace/wire/testing';
import type { TestCertificates } from '@headrace/wire/testing';
import { inferPath } from '../loads/grpc-client.js';
import { runH2load } from '../loads/h2load.js';
import type { H2loadOptions, H2loadResult } from '../loads/h2load.js';
import { measureUsage, processTree } from '../loads/usage.js';
import type { Usage } from '../loads/usage.js';
import { judge } from '../report/verdict.js';
import { startEcho } from '../subjects/echo.js';
import { direct, envoy, gatewayProxy, nginx } from '../subjects/proxies.js';
import type { Proxy } from '../subjects/proxies.js';
import { firstReply } from '../subjects/started.js';
import type { RunningSubject } from '../subjects/subject.js';
import { echoBytes, echoInferRequest } from '../workload/echo-messages.js';
import type { Arm, BenchContext, Column, Figures, Scenario } from './scenario.js';

const mostInFlight = 128;
/** Far below what any of them can carry on two cores. */
const offeredPerS = 2_000;
const proxies: readonly Proxy[] = [direct, gatewayProxy, envoy, nginx];

const columns: readonly Column[] = [
  { key: 'requestsPerS', title: 'requests/s', digits: 0 },
  { key: 'cpuUsPerRequest', title: 'proxy CPU us/request', digits: 1 },
  { key: 'p50Ms', title: 'p50 ms', digits: 2 },
  { key: 'p99Ms', title: 'p99 ms', digits: 2 },
  { key: 'offeredP50Ms', title: `p50 ms at ${offeredPerS}/s`, digits: 2 },
  { key: 'offeredP99Ms', title: `p99 ms at ${offeredPerS}/s`, digits: 2 },
  { key: 'offeredCpuUs', title: `proxy CPU us/request at ${offeredPerS}/s`, digits: 1 },
  { key: 'loneP50Ms', title: 'p50 ms, 1 x 1', digits: 2 },
  { key: 'otherCores', title: 'cores used by others', digits: 2 },
];

/** The proxy and the echo behind it, each started for this measurement, under three loads one after the other. */
function arm(context: BenchContext, proxy: Proxy, tls: boolean): Arm {
  const start = async (certificates: TestCertificates | undefined): Promise<Figures> => {
    const { profileFolder } = context;
    const echo = await startEcho({ wire: 'http2', certificates });
    try {
      const running = await proxy.start({ backend: echo.address, certificates, profileFolder });
      try {
        return await underLoads(context, running, echo);
      } finally {
        await running.stop();
      }
    } finally {
      await echo.stop();
    }
  };
  return {
    name: proxy.name,
    measure: async () => {
      const certificates = tls ? await makeCertificates() : undefined;
      try {
        return await start(certificates);
      } finally {
        certificates?.remove();
      }
    },
  };
}

async function underLoads({ h2load, lengths }: BenchContext, proxy: RunningSubject, echo: RunningSubject): Promise<Figures> {
  const message = echoInferRequest();
  const replyBytes = await firstReply(proxy, { what: 'the echo behind the proxy', path: inferPath, message: () => message });
  const to = { ...proxy, message, replyBytes };
  const pids = processTree(proxy.pids);
  const measured = (load: Pick<H2loadOptions, 'concurrency' | 'requestsPerS'>): Promise<Usage<H2loadResult>> =>
    measureUsage(pids, () => runH2load(h2load, { ...to, ...load, durationS: lengths.measureS }), echo.pids);
  await runH2load(h2load, { ...to, concurrency: mostInFlight, durationS: lengths.warmUpS });
  const full = await measured({ concurrency: mostInFlight });
  const offered = await measured({ concurrency: mostInFlight, requestsPerS: offeredPerS });
  const lone = await measured({ concurrency: 1 });
  const cpu =
    pids.length === 0 ? {} : { cpuUsPerRequest: full.cpuUs / full.result.count, offeredCpuUs: offered.cpuUs / offered.result.count };
  return {
    requestsPerS: full.result.requestsPerS,
    p50Ms: full.result.p50Ms,
    p99Ms: full.result.p99Ms,
    ...cpu,
    offeredPerS: offered.result.requestsPerS,
    offeredP50Ms: offered.result.p50Ms,
    offeredP99Ms: offered.result.p99Ms,
    loneP50Ms: lone.result.p50Ms,
    otherCores: Math.max(full.otherCores, offered.otherCores, lone.otherCores),
  };
}

function scenario(name: string, how: string, tls: boolean, judgeRounds: Scenario['judge']): Scenario {
  return {
    name,
    title: `one-worker proxies before the lightest echo, ${how}: ${echoBytes} bytes, ${mostInFlight} in flight, then ${offeredPerS} requests/s, then one at a time`,
    columns,
    arms: (context) => proxies.map((each) => arm(context, each, tls)),
    judge: judgeRounds,
  };
}

export const proxy = scenario('proxy', 'cleartext', false, (rounds) => [
  judge({
    target: "gateway: CPU per request / Envoy's <= 0.25",
    rounds,
    compute: (of) => of(gatewayProxy.name, 'cpuUsPerRequest') / of(envoy.name, 'cpuUsPerRequest'),
    bound: { atMost: 0.25 },
  }),
  judge({
    target: "gateway: most requests/s / Envoy's >= 3",
    rounds,
    compute: (of) => of(gatewayProxy.name, 'requestsPerS') / of(envoy.name, 'requestsPerS'),
    bound: { atLeast: 3 },
  }),
  judge({
    target: `gateway: p99 at ${offeredPerS} requests/s / Envoy's <= 1`,
    rounds,
    compute: (of) => of(gatewayProxy.name, 'offeredP99Ms') / of(envoy.name, 'offeredP99Ms'),
    bound: { atMost: 1 },
  }),
]);

export const proxyTls = scenario('proxy-tls', 'TLS on both sides', true, () => []);
