import type { Tool } from '../../harness/tools.js';

/** Figures of one arm in one round, by column key. */
export type Figures = Readonly<Record<string, number | string>>;

export interface Lengths {
  /** Load before the measurement, for compilers and caches. */
  readonly warmUpS: number;
  readonly measureS: number;
  /** Of each configuration of the bare loop. */
  readonly rawS: number;
  readonly manyModels: number;
}

/** What a scenario gets from the command line and the harness. */
export interface BenchContext {
  readonly lengths: Lengths;
  readonly h2load: Tool;
  /** The ONNX file of a model. */
  readonly file: (model: string) => string;
  readonly profileFolder?: string;
  say(line: string): void;
}

/** One thing to measure once a round. */
export interface Arm {
  readonly name: string;
  /** Throws Unavailable where it cannot run here. */
  measure(): Promise<Figures>;
}

export interface Column {
  readonly key: string;
  readonly title: string;
  readonly digits: number;
}

/** Rounds of figures by arm, in the order measured; an arm that is not available has none. */
export type Rounds = ReadonlyMap<string, readonly Figures[]>;

export interface Verdict {
  readonly target: string;
  /** undefined: something it needs could not be measured. */
  readonly met: boolean | undefined;
  /** E.g. "1.06 (rounds: 1.02, 1.06, 1.09)". */
  readonly measured: string;
}

export interface Scenario {
  readonly name: string;
  readonly title: string;
  readonly columns: readonly Column[];
  /** Measured one after the other, round by round (A B C, A B C, ...), so that a drift of the machine meets all alike. */
  arms(context: BenchContext): readonly Arm[];
  judge(rounds: Rounds): readonly Verdict[];
}
