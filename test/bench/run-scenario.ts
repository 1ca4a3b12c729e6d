import type { Arm, BenchContext, Figures, Rounds, Scenario } from './scenarios/scenario.js';
import { Unavailable } from './subjects/subject.js';

/** All rounds of one scenario. An arm that is unavailable or fails is named once and left out of the rest. */
export async function runScenario(
  scenario: Scenario,
  context: BenchContext,
  repeats: number,
): Promise<{ rounds: Rounds; problems: readonly string[] }> {
  const rounds = new Map<string, Figures[]>();
  const problems: string[] = [];
  let arms: readonly Arm[] = scenario.arms(context);
  for (const arm of arms) rounds.set(arm.name, []);
  for (let round = 1; round <= repeats; round++) {
    for (const arm of arms) {
      const label = `${scenario.name}, round ${round} of ${repeats}, ${arm.name}`;
      try {
        const figures = await arm.measure();
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

function brief(figures: Figures): string {
  return Object.entries(figures)
    .map(([key, value]) => `${key} ${typeof value === 'number' ? Number(value.toPrecision(4)) : value}`)
    .join(', ');
}
