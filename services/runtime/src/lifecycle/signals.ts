import { backgroundTimer } from '../clock.js';
import type { Logger } from '../log/logger.js';
import { describeError } from '../errors.js';
import type { Lifecycle } from './lifecycle.js';

/** The part of `process` that this file touches, so that tests can play it. */
export interface ProcessLike {
  on(event: string, listener: (...args: unknown[]) => void): unknown;
  off(event: string, listener: (...args: unknown[]) => void): unknown;
  exit(code: number): void;
  exitCode?: number | string | null | undefined;
}

export interface SignalOptions {
  readonly logger: Logger;
  /** `process` when absent. */
  readonly process?: ProcessLike;
  /** Runs after the drain; the process then ends by itself when nothing holds its event loop. */
  readonly onDrained?: (exitCode: number) => void;
  /** A drained process that something still keeps alive is ended after this, and what it was is logged. Default 10 s. */
  readonly stuckAfterMs?: number;
}

const defaultStuckAfterMs = 10_000;

/** 128 + signal number, as shells report it. */
const signalExitCodes = { SIGINT: 130, SIGTERM: 143 } as const;

/**
 * SIGTERM and SIGINT drain and end with exit code 0 (1 if a step failed), by setting `process.exitCode` and letting the
 * event loop run dry: process.exit during a model run would abort the process. A second signal exits at once with 143
 * or 130. An uncaught exception or unhandled rejection is logged, drains, and ends with exit code 1.
 * Returns a function that takes the listeners off again.
 */
export function installSignals(lifecycle: Lifecycle, options: SignalOptions): () => void {
  const { logger } = options;
  const target: ProcessLike = options.process ?? process;
  let signalled = false;

  const drain = (reason: string, codeIfClean: number): void => {
    if (codeIfClean !== 0) target.exitCode = codeIfClean;
    void lifecycle.drain(reason).then(() => {
      const code = lifecycle.clean ? codeIfClean : 1;
      // An earlier failure keeps its code.
      if (code !== 0 || target.exitCode === undefined) target.exitCode = code;
      options.onDrained?.(Number(target.exitCode));
      backgroundTimer(() => {
        logger.warn({ heldBy: process.getActiveResourcesInfo() }, 'drained, but still alive: leaving');
        target.exit(Number(target.exitCode));
      }, options.stuckAfterMs ?? defaultStuckAfterMs);
    });
  };

  const onSignal = (name: keyof typeof signalExitCodes) => (): void => {
    if (signalled) {
      logger.warn({ signal: name }, 'second signal: leaving at once');
      target.exit(signalExitCodes[name]);
      return;
    }
    signalled = true;
    drain(name, 0);
  };
  const onFatal =
    (kind: string) =>
    (thrown: unknown): void => {
      logger.error({ kind, error: thrown instanceof Error ? thrown : describeError(thrown) }, 'unexpected failure: draining');
      drain(kind, 1);
    };

  const listeners: readonly [string, (...args: unknown[]) => void][] = [
    ['SIGTERM', onSignal('SIGTERM')],
    ['SIGINT', onSignal('SIGINT')],
    ['uncaughtException', onFatal('uncaughtException')],
    ['unhandledRejection', onFatal('unhandledRejection')],
  ];
  for (const [event, listener] of listeners) target.on(event, listener);
  return () => {
    for (const [event, listener] of listeners) target.off(event, listener);
  };
}
