import type { CostEstimate, TargetSnapshot } from '../types.js';
import type { DecideInput, Decision, LaneSnapshot } from './snapshot.js';
import { fewestRowsForDeadline, preferredRows, runMs, targetCost } from './batch-size.js';
import { handOverShare } from './hand-over.js';
import type { LaneServer } from './makespan.js';
import { burstWindowMs } from './return-window.js';
import { makespanMs, rowsOfFirstBatch } from './makespan.js';

/** A target as one lane sees it. */
interface Option extends LaneServer {
  readonly target: TargetSnapshot;
  readonly estimate: CostEstimate;
  /** End of its next batch, ms from now. */
  readonly finishInMs: number;
}

/** Targets kept for a lane that waits for its moment there, with the time its batch will take: others come after it. */
type Held = Map<string, number>;

/** What timers and predictions cannot tell apart; also keeps a wait from being asked for that is over at once. */
const grainMs = 0.05;
/** Several targets share a lane's rows only where that ends this much sooner than fewer do: an idle target is worth keeping. */
const spreadGain = 1.1;
/** Waiting for one more request must promise more than this, for a timer cannot be finer. */
const leastWaitMs = 1;

/**
 * One decision: what to start where or, if nothing, when to look again. Pure; the caller applies it and asks again until
 * the answer is to wait. Rules and worked numbers: ../../README.md.
 */
export function decide(input: DecideInput): Decision {
  const { nowMs } = input;
  // 1. What has passed is gone, whether or not a target is free.
  let untilMs = Infinity;
  for (const lane of input.lanes) {
    if (lane.minDeadlineMs <= nowMs) return { kind: 'expire', lane: lane.key, throughMs: nowMs };
    untilMs = Math.min(untilMs, lane.minDeadlineMs);
  }
  // 2. Lanes in the order of their heads. A lane that waits for its moment on a target keeps it from those after it. When
  //    no target is left to go to, a run that ends brings us back.
  let open = 0;
  for (const target of input.targets) if (isOpen(target)) open += 1;
  const held: Held = new Map();
  for (const lane of inOrder(input.lanes)) {
    if (held.size >= open) break;
    const plan = planLane(lane, input, held);
    if (plan.kind !== 'wait') return plan;
    untilMs = Math.min(untilMs, plan.untilMs);
  }
  return { kind: 'wait', untilMs: Math.max(untilMs, nowMs + grainMs) };
}

/** The first lane is found without sorting, and mostly settles the matter. */
function* inOrder(lanes: readonly LaneSnapshot[]): Generator<LaneSnapshot> {
  let [first] = lanes;
  if (first === undefined) return;
  for (const lane of lanes) if (servedBefore(lane, first) < 0) first = lane;
  yield first;
  if (lanes.length > 1) yield* lanes.filter((lane) => lane !== first).toSorted(servedBefore);
}

function planLane(lane: LaneSnapshot, input: DecideInput, held: Held): Decision {
  const { nowMs } = input;
  const options: Option[] = [];
  for (const target of input.targets) {
    if (lane.pinnedTarget === undefined || lane.pinnedTarget === target.id)
      options.push(optionOf(lane, target, held.get(target.id) ?? 0, input));
  }
  const best = options.reduce<Option | undefined>(
    (found, option) => (found === undefined || better(option, found) ? option : found),
    undefined,
  );
  if (best === undefined) return { kind: 'wait', untilMs: Infinity };

  // The front of the lane goes to the target that ends it soonest, even if that means to wait for it.
  const others = options.some((option) => option !== best && isOpen(option.target) && !held.has(option.target.id));
  const open = isOpen(best.target) && !held.has(best.target.id);
  if (open && !others) {
    // Nobody to share with now: only whether this one is due has to be known first.
    const stageMs = stageInMs(best, lane.rows, input);
    if (stageMs > grainMs) return hold({ kind: 'wait', untilMs: nowMs + stageMs }, best, held);
  }
  const alone = lane.rows <= lane.headRows || options.length === 1;
  const allDoneMs = alone ? best.finishInMs : makespanMs(options, lane.rows);
  if (open) {
    const share = alone ? best.batchRows : Math.min(best.batchRows, rowsOfFirstBatch(best, allDoneMs * spreadGain));
    const otherIdle = options.some((option) => option !== best && option.target.outstanding === 0);
    const plan = startAtHead(lane, best, Math.max(share, lane.headRows), otherIdle, options.length > 1, input);
    if (plan.kind !== 'wait') return plan;
    if (alone) return hold(plan, best, held);
    return otherwise(lane, options, best, allDoneMs, input, held) ?? hold(plan, best, held);
  }
  // The better one ends its run, or is late and looks worse by then: see remainingMs.
  const untilMs = others ? nowMs + Math.max(best.freeInMs, leastWaitMs) : Infinity;
  if (alone) return { kind: 'wait', untilMs };
  return otherwise(lane, options, best, allDoneMs, input, held) ?? { kind: 'wait', untilMs };
}

/** Other targets serve the far end of the lane, where they end sooner than the better ones would get to it. */
function otherwise(
  lane: LaneSnapshot,
  options: readonly Option[],
  best: Option,
  allDoneMs: number,
  input: DecideInput,
  held: Held,
): Decision | undefined {
  const open = options.filter((option) => option !== best && isOpen(option.target) && !held.has(option.target.id));
  for (const option of open.toSorted((left, right) => left.finishInMs - right.finishInMs)) {
    if (input.fruitless.has(fruitlessKey(lane.key, option.target.id))) continue;
    const rows = lane.mergeable ? rowsOfFirstBatch(option, allDoneMs) : option.finishInMs <= allDoneMs + grainMs ? option.batchRows : 0;
    if (rows < 1 || stageInMs(option, lane.rows, input) > grainMs) continue;
    const finishInMs = option.freeInMs + runMs(option.cost, rows);
    return { kind: 'start', lane: lane.key, targetId: option.target.id, rows, from: 'tail', finishInMs };
  }
  return undefined;
}

function startAtHead(
  lane: LaneSnapshot,
  option: Option,
  share: number,
  otherIdle: boolean,
  otherTargets: boolean,
  input: DecideInput,
): Decision {
  const { nowMs } = input;
  const stageMs = stageInMs(option, lane.rows, input);
  if (stageMs > grainMs) return { kind: 'wait', untilMs: nowMs + stageMs };
  if (!otherTargets && leftForReturns(lane, option, input)) return { kind: 'wait', untilMs: Infinity };

  // Drop what cannot make it even alone. Under overload the head is always about to be late, and batches cut to its measure
  // would cost the throughput that all need: one that had time for two full batches and lost it by waiting is given up.
  if (input.trustPredictions) {
    const aloneMs = nowMs + option.freeInMs + runMs(option.cost, 1);
    if (lane.minDeadlineMs <= aloneMs) return { kind: 'expire', lane: lane.key, throughMs: aloneMs };
    const fullMs = runMs(option.cost, share) + option.estimate.residualMs;
    const throughMs = nowMs + option.freeInMs + fullMs;
    // Whoever it is: the head may be of a higher band with time enough, and in its batch those who have none left.
    const leastBudgetMs = 2 * fullMs;
    const headLate = lane.headDeadlineMs <= throughMs && lane.headDeadlineMs - lane.headArrivedMs >= leastBudgetMs;
    const anyLate = lane.minDeadlineMs <= throughMs && lane.minDeadlineMs - lane.minDeadlineArrivedMs >= leastBudgetMs;
    if (lane.mergeable && lane.rows > option.batchRows && (headLate || anyLate))
      return { kind: 'expire-late', lane: lane.key, throughMs, leastBudgetMs, keepRows: option.batchRows };
  }

  let rows = share;
  const slackMs = lane.headDeadlineMs - nowMs - option.freeInMs - option.estimate.residualMs;
  if (lane.mergeable && runMs(option.cost, rows) > slackMs && option.cost.perRowMs > 0) {
    const inTime = Math.floor((slackMs - option.cost.overheadMs) / option.cost.perRowMs);
    rows = Math.max(inTime, fewestRowsForDeadline(option.cost, share), lane.headRows);
    rows = Math.min(rows, share);
  }
  const waitMs = rows < share || otherIdle ? 0 : worthWaitingMs(lane, option, share, input);
  if (waitMs > grainMs) return { kind: 'wait', untilMs: nowMs + waitMs };
  return {
    kind: 'start',
    lane: lane.key,
    targetId: option.target.id,
    rows,
    from: 'head',
    finishInMs: option.freeInMs + runMs(option.cost, rows),
  };
}

/**
 * How long from now an idle target should wait for one more request; 0 for not at all.
 *
 * With n requests here, waiting w delays each of them by w and by the newcomer's k, and saves the newcomer a run of its
 * own, whose overhead is a: it pays while (n + 1) w + n k < a. So it waits while the usual gap between arrivals is less
 * than half of w = (a - n k) / (n + 1), and never longer than a in all. E.g. a = 10 ms, k = 0.1 ms, 1 waiting:
 * w = 4.95 ms, so it waits when requests come less than 2.5 ms apart; 8 waiting: 1 ms, so hardly ever. A first request
 * into an idle system finds a long gap and goes at once; so does everything where k is not well below a, and everything
 * while another target is idle, which the newcomer could have for itself.
 */
function worthWaitingMs(lane: LaneSnapshot, option: Option, share: number, input: DecideInput): number {
  const { nowMs } = input;
  if (input.lanes.length > 1 || option.target.outstanding > 0 || !lane.mergeable) return 0;
  if (share >= input.maxBatchRows) return 0;
  const returnsMs = worthWaitingForReturnsMs(lane, option, input);
  if (returnsMs > grainMs) return returnsMs;
  const gap = input.arrivals(lane.key);
  if (gap === undefined || !option.cost.identified) return 0;
  const perRequestMs = (option.cost.perRowMs * lane.rows) / lane.requests;
  const worthMs = (option.cost.overheadMs - lane.requests * perRequestMs) / (lane.requests + 1);
  if (worthMs < leastWaitMs || gap.meanMs * 2 > worthMs) return 0;
  const slackMs = lane.minDeadlineMs - nowMs - runMs(option.cost, share + 1) - option.estimate.residualMs;
  return Math.min(gap.lastMs + worthMs / 2 - nowMs, lane.headArrivedMs + option.cost.overheadMs - nowMs, slackMs);
}

/**
 * The same for the clients whose answers have just gone out: how long from now to wait for their next requests.
 *
 * n requests wait here, E more usually come within h of a run's end. To wait delays n by h and by the rows of E; not to
 * wait delays E by the run t(n), less h. It pays while E (t(n) - h) / 2 > n (h + k E), with a half for caution. E.g.
 * 32 clients back after 0.1 ms, a = 10 ms, k = 0.1 ms, in two groups of 16: 16 * 11.5 / 2 = 92 against 16 * 1.7 = 27, so
 * that the groups become one, and 32 rows in 13.3 ms take the place of 16 in 11.6. With a = k = 1 ms and groups of 4: 10
 * against 16, as it was. While overhead and rows are not told apart rows count nothing here: larger runs tell them apart.
 *
 * If they do not come after all, the timer ends it after 1 ms, which no run shorter than that is worth.
 */
function worthWaitingForReturnsMs(lane: LaneSnapshot, option: Option, input: DecideInput): number {
  const { returns, nowMs } = input;
  if (returns === undefined) return 0;
  const leftMs = returns.endedMs + burstWindowMs - nowMs;
  const usualMs = Math.max(returns.endedMs + returns.usualMs - nowMs, grainMs);
  const expected = returns.usualRequests - returns.arrivedRequests;
  if (leftMs <= grainMs || !paysToWaitFor(expected, usualMs, lane, option)) return 0;
  const slackMs = lane.minDeadlineMs - nowMs - runMs(option.cost, lane.rows * 2) - option.estimate.residualMs;
  return Math.min(leftMs, slackMs);
}

/** Whether the batch after the running one should be left to form when that one ends, for its clients to come back into it. */
function leftForReturns(lane: LaneSnapshot, option: Option, input: DecideInput): boolean {
  const { returns } = input;
  if (returns === undefined || input.lanes.length > 1 || !lane.mergeable || option.target.outstanding === 0) return false;
  if (lane.rows >= input.maxBatchRows || lane.rows > option.batchRows) return false;
  const awayMs = returns.usualMs + (option.target.networkMs ?? 0);
  const endMs = option.freeInMs + burstWindowMs + awayMs + runMs(option.cost, lane.rows * 2) + option.estimate.residualMs;
  return endMs < lane.minDeadlineMs - input.nowMs && paysToWaitFor(returns.usualRequests, awayMs, lane, option);
}

function paysToWaitFor(expected: number, waitMs: number, lane: LaneSnapshot, option: Option): boolean {
  const soloMs = runMs(option.cost, lane.rows);
  if (expected < 0.5 || soloMs < leastWaitMs) return false;
  const moreMs = option.cost.identified ? (option.cost.perRowMs * lane.rows * expected) / lane.requests : 0;
  return (expected * (soloMs - waitMs)) / 2 > lane.requests * (waitMs + moreMs);
}

function optionOf(lane: LaneSnapshot, target: TargetSnapshot, heldMs: number, input: DecideInput): Option {
  const estimate = input.costs.estimate(lane.shapeClass, target.podClass);
  const cost = targetCost(estimate, target);
  const batchRows = lane.mergeable ? preferredRows(cost, lane.rows, input.maxBatchRows) : lane.headRows;
  const freeInMs = target.freeInMs + heldMs;
  return { target, estimate, cost, freeInMs, batchRows, finishInMs: freeInMs + runMs(cost, batchRows) };
}

/**
 * Ms until a batch may be handed to the target: 0 when idle, when the run before ends soon, or when nothing is gained by growing.
 *
 * Where tenants take turns a full batch waits for that moment too. Staged at once, whoever has the long queue would be
 * staged everywhere, and each request of a light tenant would wait for a whole run of theirs before its own: 10 ms where it is 2 (10 ms runs).
 */
function stageInMs(option: Option, queuedRows: number, { maxBatchRows, takesTurns, timersLateMs }: DecideInput): number {
  if (option.target.outstanding === 0) return 0;
  const networkMs = option.target.networkMs ?? 0;
  const shareMs = handOverShare * runMs(option.cost, option.batchRows);
  // As much waits as one batch takes: it will not get larger.
  if (queuedRows > option.batchRows || queuedRows >= maxBatchRows) {
    if (takesTurns !== true) return 0;
    const leastMs = networkMs + leastWaitMs + (timersLateMs ?? 0);
    // A penalty is for choosing among targets: the run before it ends when it ends.
    const penaltyMs = Math.max(0, option.target.penalty - 1) * option.estimate.predictMs(option.batchRows);
    const marginMs = Math.max(leastMs, Math.min(leastMs + option.estimate.residualMs, shareMs));
    return Math.max(0, option.freeInMs - penaltyMs - marginMs);
  }
  return Math.max(0, option.freeInMs - Math.max(networkMs, shareMs));
}

function hold(plan: Decision, option: Option, held: Held): Decision {
  held.set(option.target.id, option.finishInMs - option.target.freeInMs);
  return plan;
}

function isOpen(target: TargetSnapshot): boolean {
  return target.outstanding < target.capacity;
}

function better(left: Option, right: Option): boolean {
  if (Math.abs(left.finishInMs - right.finishInMs) > grainMs) return left.finishInMs < right.finishInMs;
  return left.target.outstanding < right.target.outstanding;
}

export function fruitlessKey(lane: string, targetId: string): string {
  return `${targetId.length}:${targetId}:${lane}`;
}

function servedBefore(left: LaneSnapshot, right: LaneSnapshot): number {
  if (left.headBand !== right.headBand) return left.headBand - right.headBand;
  if (left.headRound !== right.headRound) return left.headRound - right.headRound;
  if (left.headTurn !== right.headTurn) return left.headTurn - right.headTurn;
  if (left.headOwnBand !== right.headOwnBand) return left.headOwnBand - right.headOwnBand;
  if (left.headDueMs !== right.headDueMs) return left.headDueMs - right.headDueMs;
  return left.headArrivedMs - right.headArrivedMs;
}
