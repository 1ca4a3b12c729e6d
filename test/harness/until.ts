import { setTimeout as sleep } from 'node:timers/promises';

const lookEveryMs = 25;
/** Only against a test that never ends: how long something takes is not what is tested. */
const defaultWithinMs = 90_000;

/** Asks again and again until the answer is true. Rejects, naming what was waited for, when it never is. */
export async function until(what: string, condition: () => boolean | Promise<boolean>, withinMs: number = defaultWithinMs): Promise<void> {
  const giveUpMs = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > giveUpMs) throw new Error(`never came: ${what}`);
    await sleep(lookEveryMs);
  }
}
