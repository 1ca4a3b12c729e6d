import { randomBytes } from 'node:crypto';
import type { WireName } from '@headrace/wire';
import { makeCertificates } from '@headrace/wire/testing';
import { runH2load } from '../loads/h2load.js';
import { measureUsage } from '../loads/usage.js';
import { judge } from '../report/verdict.js';
import { startEcho } from '../subjects/echo.js';
import { echoPath } from '../subjects/echo-protocol.js';
import { firstReply } from '../subjects/started.js';
import { echoBytes } from '../workload/echo-messages.js';
import type { Arm, BenchContext, Scenario } from './scenario.js';

interface Case {
  readonly wire: WireName;
  readonly concurrency: 1 | 128;
  readonly tls: boolean;
}

const wireCase: Case = { wire: 'http2', concurrency: 128, tls: false };

/** The judged ones first; the others are printed. */
const cases: readonly Case[] = [
  wireCase,
  { wire: 'grpc-js', concurrency: 128, tls: false },
  { wire: 'http2', concurrency: 1, tls: false },
  { wire: 'grpc-js', concurrency: 1, tls: false },
  { wire: 'http2', concurrency: 128, tls: true },
  { wire: 'grpc-js', concurrency: 128, tls: true },
];

export const wireArmName = nameOf(wireCase);

function nameOf({ wire, concurrency, tls }: Case): string {
  return `${wire}, ${concurrency === 1 ? '1 x 1' : '4 x 32'}${tls ? ', TLS' : ''}`;
}

function arm(context: BenchContext, which: Case): Arm {
  const { h2load, lengths, profileFolder } = context;
  return {
    name: nameOf(which),
    measure: async () => {
      const certificates = which.tls ? await makeCertificates() : undefined;
      try {
        const running = await startEcho({ wire: which.wire, certificates, profileFolder });
        try {
          const message = randomBytes(echoBytes);
          const replyBytes = await firstReply(running, { what: running.address, path: echoPath, message: () => message });
          const load = { ...running, path: echoPath, message, replyBytes, concurrency: which.concurrency };
          await runH2load(h2load, { ...load, durationS: lengths.warmUpS });
          const usage = await measureUsage(running.pids, () => runH2load(h2load, { ...load, durationS: lengths.measureS }));
          const { requestsPerS, p50Ms, p99Ms, count } = usage.result;
          return { cpuUsPerRequest: usage.cpuUs / count, requestsPerS, p50Ms, p99Ms, otherCores: usage.otherCores };
        } finally {
          await running.stop();
        }
      } finally {
        certificates?.remove();
      }
    },
  };
}

/** What the transport itself takes for a unary call, for scenarios that hold something else against it. */
export function wireArm(context: BenchContext): Arm {
  return arm(context, wireCase);
}

export const echo: Scenario = {
  name: 'echo',
  title: `unary echo of ${echoBytes} bytes: what a call costs a server of each transport`,
  columns: [
    { key: 'cpuUsPerRequest', title: 'server CPU us/request', digits: 1 },
    { key: 'requestsPerS', title: 'requests/s', digits: 0 },
    { key: 'p50Ms', title: 'p50 ms', digits: 2 },
    { key: 'p99Ms', title: 'p99 ms', digits: 2 },
    { key: 'otherCores', title: 'cores used by others', digits: 2 },
  ],
  arms: (context) => cases.map((each) => arm(context, each)),
  judge: (rounds) => {
    const theirs = nameOf({ wire: 'grpc-js', concurrency: 128, tls: false });
    const ours = nameOf({ wire: 'http2', concurrency: 128, tls: false });
    return [
      judge({
        target: "4 x 32: grpc-js' server CPU per request / ours >= 8",
        rounds,
        compute: (of) => of(theirs, 'cpuUsPerRequest') / of(ours, 'cpuUsPerRequest'),
        bound: { atLeast: 8 },
      }),
    ];
  },
};
