import type { AdaptiveLimit, LatencyGoal } from '../adaptive-limit.js';
import { GoalGradient, leastUnderWay } from '../goal-gradient.js';
import { Aimd } from './aimd.js';
import { Gradient2 } from './gradient2.js';
import type { SimBackend, SimCase } from './queue-simulation.js';
import { Vegas } from './vegas.js';

export const gpu: SimBackend = { overheadMs: 10, perRowMs: 0.1, maxRows: 32, servers: 1 };
export const ranker: SimBackend = { overheadMs: 1, perRowMs: 4, maxRows: 8, servers: 4 };

export const algorithms: Readonly<Record<string, (goal: LatencyGoal, backend: SimBackend) => AdaptiveLimit>> = {
  gradient2: () => new Gradient2(),
  vegas: () => new Vegas(),
  aimd: (goal) => new Aimd(goal),
  goal: (goal, backend) => {
    const limit = new GoalGradient({ goal, initial: 20 });
    limit.setLeast(
      leastUnderWay(
        Array.from({ length: backend.servers }, () => backend),
        backend.maxRows,
        goal,
      ),
    );
    return limit;
  },
  // The same without being told what keeps the targets busy.
  'goal, no floor': (goal) => new GoalGradient({ goal, initial: 20 }),
};

const base = { goalMs: 80, forMs: 20_000, fromMs: 8_000 };

export const cases: Readonly<Record<string, SimCase>> = {
  '0.5x': { ...base, backend: gpu, load: () => 0.5 },
  '0.9x': { ...base, backend: gpu, load: () => 0.9 },
  '1.2x': { ...base, backend: gpu, load: () => 1.2 },
  '2x': { ...base, backend: gpu, load: () => 2 },
  '3x': { ...base, backend: gpu, load: () => 3 },
  '2x, goal of 40 ms': { ...base, goalMs: 40, backend: gpu, load: () => 2 },
  '2x, goal of 300 ms': { ...base, goalMs: 300, backend: gpu, load: () => 2 },
  '2x, 4 CPU servers': { ...base, goalMs: 120, backend: ranker, load: () => 2 },
  'bursts of 3x': { ...base, backend: gpu, load: (nowMs) => (nowMs % 1_000 < 300 ? 3 : 0.4) },
  'half as fast from 12 s on': { ...base, backend: gpu, load: () => 2, slowdown: (nowMs) => (nowMs < 12_000 ? 1 : 2) },
  'twice as fast from 12 s on': { ...base, backend: gpu, load: () => 2, slowdown: (nowMs) => (nowMs < 12_000 ? 2 : 1) },
};
