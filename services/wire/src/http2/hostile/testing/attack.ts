import { afterAll, beforeAll, expect } from 'vitest';
import { mebibyte, memoryBytes, Stage } from './stage.js';
import type { ServerOptions } from '../../../port.js';

/** What the process may hold more after an attack than before: heap noise of a test run, and far below what each attack sends or asks for. */
export const maxGrowthBytes = 24 * mebibyte;

const lines: string[] = [];

/** What the attacks of this file did to the caller beside them, for people to read: times of a shared machine are no assertion. */
export function attackReport(): string {
  return `bystander during each attack\n${lines.join('\n')}`;
}

/**
 * Runs an attack and then expects what is true of all: the caller on another connection lost nothing and is served afterwards, the receive budget
 * is back at 0, and the process holds no more than before.
 */
export async function expectHarmless(
  name: string,
  options: ServerOptions,
  attack: (stage: Stage) => Promise<void>,
  maxHeldBytes?: number,
): Promise<void> {
  const stage = await Stage.open(options, maxHeldBytes);
  try {
    const finish = await watched(name, stage);
    await attack(stage);
    await finish();
  } finally {
    await stage.close();
  }
}

/** The same for a table of small attacks on one server, with one caller beside all of them. */
export function harmlessTogether(name: string): () => Stage {
  let stage: Stage | undefined;
  let finish: (() => Promise<void>) | undefined;
  beforeAll(async () => {
    stage = await Stage.open();
    finish = await watched(name, stage);
  });
  afterAll(async () => {
    await finish?.();
    await stage?.close();
  });
  return () => {
    if (stage === undefined) throw new Error('the stage opens before the first test');
    return stage;
  };
}

async function watched(name: string, stage: Stage): Promise<() => Promise<void>> {
  const beforeBytes = await memoryBytes();
  const stop = await stage.bystander();
  return async () => {
    const { calls, failures, quietP99Ms, p99Ms } = await stop();
    expect(failures, 'calls of the bystander that failed').toEqual([]);
    expect(calls).toBeGreaterThan(0);
    for (let tries = 0; stage.budget.usedBytes > 0 && tries < 1_000; tries++) await new Promise<void>((resolve) => setTimeout(resolve, 10));
    expect(stage.budget.usedBytes, 'receive budget in use after the attack').toBe(0);
    const grownBytes = (await memoryBytes()) - beforeBytes;
    expect(grownBytes, 'memory held after the attack').toBeLessThan(maxGrowthBytes);
    const times = `p99 ${p99Ms.toFixed(1)} ms (before: ${quietP99Ms.toFixed(1)} ms)`;
    lines.push(`${name.padEnd(52)} ${String(calls).padStart(6)} calls  ${times}  memory ${(grownBytes / mebibyte).toFixed(1)} MiB more`);
  };
}
