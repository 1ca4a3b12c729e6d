import { setTimeout as sleep } from 'node:timers/promises';
import { measureUsage } from './loads/usage.js';
import type { BenchOptions } from './options.js';
import type { Arm, BenchContext, Figures, Rounds, Scenario } from './scenarios/scenario.js';
import { Unavailable } from './subjects/subject.js';

/** More than this much of a core used by others spoils a measurement: it is made again, and the quietest is kept. */
const quietCores = 0.15;
const mostAttempts = 3;
const lookMs = 1_000;
const mostLooks = 20;

/** All rounds of one scenario. An arm that is unavailable or fails is named once and left out of the rest. */
export async function runScenario(
  scenario: Scenario,
  context: BenchContext,
  { repeats, wantsQuiet }: Pick<BenchOptions, 'repeats' | 'wantsQuiet'>,
): Promise<{ rounds: Rounds; problems: readonly string[] }> {
  const rounds = new Map<string, Figures[]>();
  const problems: string[] = [];
  let arms: readonly Arm[] = scenario.arms(context);
  for (const arm of arms) rounds.set(arm.name, []);
  for (let round = 1; round <= repeats; round++) {
    for (const arm of arms) {
      const label = `${scenario.name}, round ${round} of ${repeats}, ${arm.name}`;
      try {
        const figures = wantsQuiet ? await measureQuietly(arm) : await arm.measure();
        rounds.get(arm.name)?.push(figures);
        context.say(`${label}: ${brief(figures)}`);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        context.say(`${label}: left out, ${reason}`);
        // Half an arm's rounds would be compared with all rounds of the others.
        rounds.set(arm.name, []);
        arms = arms.filter((other) => other !== arm);
        if (!(error instanceof Unavailable)) problems.push(`${label}: ${reason}`);
      }
    }
  }
  return { rounds, problems };
}

async function measureQuietly(arm: Arm): Promise<Figures> {
  let best: Figures | undefined;
  for (let attempt = 1; attempt <= mostAttempts; attempt++) {
    await waitForQuiet();
    const figures = await arm.measure();
    if (best === undefined || noise(figures) < noise(best)) best = figures;
    if (noise(best) <= quietCores) break;
  }
  return best ?? {};
}

function noise(figures: Figures): number {
  const { otherCores } = figures;
  return typeof otherCores === 'number' ? otherCores : 0;
}

/** Until nobody else uses the machine, or for 20 s. */
async function waitForQuiet(): Promise<void> {
  for (let look = 0; look < mostLooks; look++) {
    const { otherCores } = await measureUsage([], () => sleep(lookMs));
    if (otherCores <= quietCores) return;
  }
}

function brief(figures: Figures): string {
  return Object.entries(figures)
    .map(([key, value]) => `${key} ${typeof value === 'number' ? Number(value.toPrecision(4)) : value}`)
    .join(', ');
}
