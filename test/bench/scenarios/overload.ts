import { closedLoad } from '../loads/closed-load.js';
import { inferPath } from '../loads/grpc-client.js';
import { failureText, runOpenLoad } from '../loads/open-load.js';
import { measureUsage, processTree } from '../loads/usage.js';
import { judge } from '../report/verdict.js';
import { startGatewayBefore } from '../subjects/gateway-before.js';
import { gatewayAndServer } from '../subjects/headrace.js';
import { kserve, mlserver, triton } from '../subjects/peers.js';
import { firstReply } from '../subjects/started.js';
import type { RunningSubject, Subject } from '../subjects/subject.js';
import { startTimer } from '../subjects/timer.js';
import { benchModels } from '../workload/models.js';
import { randomRequest } from '../workload/request.js';
import { timerRequest } from '../workload/timer-request.js';
import type { Arm, BenchContext, Column, Figures, Scenario, Verdict } from './scenario.js';
import { startWarm } from './warm-subject.js';

const model = benchModels.ranker32m;
/** Two running and two staged batches of 32, and where there are two instances one of each. */
const timerInFlight = 128;
const overloadFactor = 2;
const highShare = 0.1;
/** Each is random; a request of the load is one of them. */
const differentMessages = 32;
/** t(32) = 42 ms on one instance, 760 requests/s: two cores carry twice that and the generator with ease. */
const timer = { overheadMs: 10, perRowMs: 1, maxBatchRows: 32, instances: 1 };
/** Five full batches. */
const timerDeadlineMs = 210;
/** Three full batches of 32, each about 0.65 s on one core. */
const modelDeadlineMs = 2_000;
const modelInFlight = 64;

const timed = 'gateway + timer';

interface Load {
  readonly message: (priority?: number) => Buffer;
  readonly deadlineMs: number;
  /** Of the closed loop; what it takes to be as fast as it can. */
  readonly inFlight: number;
}

/** Capacity by a closed loop, then twice that by an open one, on the same server. */
async function underLoads({ lengths }: BenchContext, running: RunningSubject, { message, deadlineMs, inFlight }: Load): Promise<Figures> {
  const several = (priority?: number): readonly Buffer[] => Array.from({ length: differentMessages }, () => message(priority));
  const durationMs = lengths.measureS * 1000;
  const usage = await measureUsage(processTree(running.pids), async () => {
    const closed = { address: running.address, messages: several(), inFlight };
    await closedLoad({ ...closed, durationMs: lengths.warmUpS * 1000 });
    const { perS: capacityPerS } = await closedLoad({ ...closed, durationMs });
    const offeredPerS = capacityPerS * overloadFactor;
    const results = await runOpenLoad({
      addresses: [running.address],
      offered: [
        { name: 'high', perS: offeredPerS * highShare, messages: several(1), timeoutMs: deadlineMs },
        { name: 'normal', perS: offeredPerS * (1 - highShare), messages: several(), timeoutMs: deadlineMs },
      ],
      // Where nothing is refused it takes a deadline until the queue is as long as it gets.
      leadMs: 1_000 + deadlineMs,
      durationMs,
    });
    return { capacityPerS, high: results.get('high'), normal: results.get('normal') };
  });
  const { capacityPerS, high, normal } = usage.result;
  if (high === undefined || normal === undefined) throw new Error('expected both kinds of requests');
  return {
    capacityPerS,
    offeredPerS: high.sentPerS + normal.sentPerS,
    goodputPerS: high.goodputPerS + normal.goodputPerS,
    highInTimePercent: (100 * high.inTime) / high.sent,
    highP50Ms: high.p50Ms,
    highP99Ms: high.p99Ms,
    normalInTimePercent: (100 * normal.inTime) / normal.sent,
    normalP99Ms: normal.p99Ms,
    highFailures: failureText(high.failures),
    normalFailures: failureText(normal.failures),
    otherCores: usage.otherCores,
  };
}

function timerArm(context: BenchContext): Arm {
  return {
    name: timed,
    measure: async () => {
      const backend = await startTimer(timer);
      try {
        const gateway = await startGatewayBefore({ backend: backend.address, profileFolder: context.profileFolder });
        try {
          await firstReply(gateway, { what: 'the timer', path: inferPath, message: () => timerRequest() });
          const message = (priority?: number): Buffer => timerRequest(priority === undefined ? {} : { priority });
          const running = { ...gateway, pids: [...gateway.pids, ...backend.pids] };
          return await underLoads(context, running, { message, deadlineMs: timerDeadlineMs, inFlight: timerInFlight });
        } finally {
          await gateway.stop();
        }
      } finally {
        await backend.stop();
      }
    },
  };
}

function modelArm(context: BenchContext, subject: Subject): Arm {
  return {
    name: subject.name,
    measure: async () => {
      const running = await startWarm(context, subject, model, undefined, { deadlineMs: modelDeadlineMs });
      try {
        const message = (priority?: number): Buffer => randomRequest(model, priority === undefined ? {} : { priority });
        return await underLoads(context, running, { message, deadlineMs: modelDeadlineMs, inFlight: modelInFlight });
      } finally {
        await running.stop();
      }
    },
  };
}

const columns: readonly Column[] = [
  { key: 'capacityPerS', title: 'at 1x/s', digits: 0 },
  { key: 'offeredPerS', title: 'offered/s', digits: 0 },
  { key: 'goodputPerS', title: 'in time/s', digits: 0 },
  { key: 'highInTimePercent', title: 'high in time %', digits: 2 },
  { key: 'highP50Ms', title: 'high p50 ms', digits: 1 },
  { key: 'highP99Ms', title: 'high p99 ms', digits: 1 },
  { key: 'normalInTimePercent', title: 'normal in time %', digits: 1 },
  { key: 'normalP99Ms', title: 'normal p99 ms', digits: 1 },
  { key: 'highFailures', title: 'high not in time', digits: 0 },
  { key: 'normalFailures', title: 'normal not in time', digits: 0 },
  { key: 'otherCores', title: 'cores used by others', digits: 2 },
];

export const overload: Scenario = {
  name: 'overload',
  title: `twice the requests that were answered at 1x, ${100 * highShare} % of them of high priority, with deadlines: ${timerDeadlineMs} ms before a timer of ${timer.overheadMs} + ${timer.perRowMs} b ms, ${modelDeadlineMs} ms for the 32M ranker`,
  columns,
  arms: (context) => [timerArm(context), ...[gatewayAndServer, mlserver, kserve, triton].map((subject) => modelArm(context, subject))],
  judge: (rounds) =>
    [timed, gatewayAndServer.name].flatMap((arm): readonly Verdict[] => [
      judge({
        target: `${arm}: answers in time per second at 2x / answers at 1x >= 0.9`,
        rounds,
        compute: (of) => of(arm, 'goodputPerS') / of(arm, 'capacityPerS'),
        bound: { atLeast: 0.9 },
      }),
      judge({
        target: `${arm}: high priority in time >= 99 %`,
        rounds,
        compute: (of) => of(arm, 'highInTimePercent'),
        bound: { atLeast: 99 },
      }),
    ]),
};
