/**
 * The life of one supervised process, as a pure state machine.
 *
 *     idle --start--> starting --announced--> ready
 *                        |  ^                   |
 *                     exited |timer           exited
 *                        v  |                   v
 *                      waiting <----------------+          (any) --stop--> stopping --exited--> stopped
 *                        |
 *                        +-- too many failed starts before the first success --> stopped (gave up)
 *
 * A process that hangs, ready or not yet, is killed, and goes the way of one that exited.
 */
export type ChildState<A> =
  | { readonly kind: 'idle' }
  | { readonly kind: 'starting'; readonly failures: number; readonly everReady: boolean }
  | { readonly kind: 'ready'; readonly failures: number; readonly sinceMs: number; readonly announced: A }
  | { readonly kind: 'waiting'; readonly failures: number; readonly everReady: boolean; readonly untilMs: number; readonly exit: Exit }
  | { readonly kind: 'stopping' }
  | { readonly kind: 'stopped'; readonly exit: Exit | undefined; readonly gaveUp: boolean };

/** How a process ended; a spawn that failed has neither code nor signal. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export type ChildEvent<A> =
  | { readonly kind: 'start' }
  | { readonly kind: 'announced'; readonly announced: A }
  | { readonly kind: 'exited'; readonly exit: Exit }
  | { readonly kind: 'timer' }
  | { readonly kind: 'hung' }
  | { readonly kind: 'stop' };

/** What the caller must do after a step, in order. */
export type ChildAction =
  | { readonly kind: 'spawn' }
  | { readonly kind: 'wait'; readonly delayMs: number }
  | { readonly kind: 'cancelWait' }
  | { readonly kind: 'terminate' }
  | { readonly kind: 'kill' };

export interface RestartPolicy {
  readonly firstDelayMs: number;
  readonly maxDelayMs: number;
  /** A process that was ready for this long has recovered: its next crash counts as the first again. */
  readonly stableMs: number;
  /** Failed starts in a row before the first success, after which another try is pointless (wrong flags, broken install). */
  readonly maxFirstStarts: number;
}

export const restartPolicy: RestartPolicy = { firstDelayMs: 200, maxDelayMs: 15_000, stableMs: 60_000, maxFirstStarts: 3 };

/** The exit code with which the servers say that their flags or files are wrong: starting again cannot help. */
const usageExitCode = 2;

export interface Step<A> {
  readonly state: ChildState<A>;
  readonly actions: readonly ChildAction[];
}

/** The whole policy. `random` is uniform in [0, 1); an event that does not belong to the state changes nothing. */
export function step<A>(
  state: ChildState<A>,
  event: ChildEvent<A>,
  nowMs: number,
  random: number,
  policy: RestartPolicy = restartPolicy,
): Step<A> {
  switch (event.kind) {
    case 'start':
      return state.kind === 'idle'
        ? { state: { kind: 'starting', failures: 0, everReady: false }, actions: [{ kind: 'spawn' }] }
        : stay(state);
    case 'announced':
      if (state.kind !== 'starting') return stay(state);
      return { state: { kind: 'ready', failures: state.failures, sinceMs: nowMs, announced: event.announced }, actions: [] };
    case 'timer':
      if (state.kind !== 'waiting') return stay(state);
      return { state: { kind: 'starting', failures: state.failures, everReady: state.everReady }, actions: [{ kind: 'spawn' }] };
    case 'hung':
      // It stays what it is until it is gone: its exit decides about the restart, as every other.
      return state.kind === 'ready' || state.kind === 'starting' ? { state, actions: [{ kind: 'kill' }] } : stay(state);
    case 'stop':
      return stopped(state);
    case 'exited':
      return exited(state, event.exit, nowMs, random, policy);
  }
}

function stopped<A>(state: ChildState<A>): Step<A> {
  switch (state.kind) {
    case 'starting':
    case 'ready':
      return { state: { kind: 'stopping' }, actions: [{ kind: 'terminate' }] };
    case 'waiting':
      return { state: { kind: 'stopped', exit: state.exit, gaveUp: false }, actions: [{ kind: 'cancelWait' }] };
    case 'idle':
      return { state: { kind: 'stopped', exit: undefined, gaveUp: false }, actions: [] };
    case 'stopping':
    case 'stopped':
      return stay(state);
  }
}

function exited<A>(state: ChildState<A>, exit: Exit, nowMs: number, random: number, policy: RestartPolicy): Step<A> {
  switch (state.kind) {
    case 'stopping':
      return { state: { kind: 'stopped', exit, gaveUp: false }, actions: [] };
    case 'starting': {
      const failures = state.failures + 1;
      if (!state.everReady && (exit.code === usageExitCode || failures >= policy.maxFirstStarts)) {
        return { state: { kind: 'stopped', exit, gaveUp: true }, actions: [] };
      }
      return waitAfter(exit, failures, state.everReady, nowMs, random, policy);
    }
    case 'ready': {
      const failures = nowMs - state.sinceMs >= policy.stableMs ? 1 : state.failures + 1;
      return waitAfter(exit, failures, true, nowMs, random, policy);
    }
    case 'idle':
    case 'waiting':
    case 'stopped':
      return stay(state);
  }
}

function waitAfter<A>(exit: Exit, failures: number, everReady: boolean, nowMs: number, random: number, policy: RestartPolicy): Step<A> {
  const delayMs = restartDelayMs(failures, random, policy);
  return { state: { kind: 'waiting', failures, everReady, untilMs: nowMs + delayMs, exit }, actions: [{ kind: 'wait', delayMs }] };
}

/**
 * Exponential back-off with equal jitter: half of the delay is certain, half is drawn, so that replicas that died
 * together do not load their models together. E.g. 200 ms first and 15 s at most => 100-200 ms, 200-400 ms, ... 7.5-15 s.
 */
export function restartDelayMs(failures: number, random: number, policy: RestartPolicy = restartPolicy): number {
  const fullMs = Math.min(policy.maxDelayMs, policy.firstDelayMs * 2 ** Math.min(failures - 1, 30));
  return fullMs / 2 + (random * fullMs) / 2;
}

function stay<A>(state: ChildState<A>): Step<A> {
  return { state, actions: [] };
}

/** e.g. "was killed by SIGKILL", "exited with code 1". */
export function describeExit(exit: Exit): string {
  if (exit.signal !== null) return `was killed by ${exit.signal}`;
  return exit.code === null ? 'could not be started' : `exited with code ${exit.code}`;
}
