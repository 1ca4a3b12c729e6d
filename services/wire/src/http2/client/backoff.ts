/** How long to wait between attempts to connect (grpc/doc/connection-backoff): grows by 1.6, 20 % jitter. */
export interface BackoffSettings {
  readonly initialMs: number;
  readonly maxMs: number;
}

const growth = 1.6;
const jitter = 0.2;

/** `attempt`: how many have failed in a row, from 1. `random`: 0 to 1. */
export function backoffMs(settings: BackoffSettings, attempt: number, random: number): number {
  const waitMs = Math.min(settings.maxMs, settings.initialMs * growth ** Math.max(0, attempt - 1));
  return waitMs * (1 - jitter + 2 * jitter * random);
}
