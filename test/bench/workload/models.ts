import type { Datatype } from '@headrace/proto';

export interface BenchInput {
  readonly name: string;
  readonly datatype: Extract<Datatype, 'FP32' | 'INT64'>;
  /** Of one row, without the batch axis. */
  readonly rowShape: readonly number[];
}

/** A model that make_models.py writes. */
export interface BenchModel {
  readonly name: 'tiny' | 'ranker2m' | 'ranker32m';
  readonly title: string;
  readonly inputs: readonly BenchInput[];
  /** onnxruntime threads of peers that run one request at a time: both cores for a ranker, none extra for a run of 10 us. */
  readonly peerThreads: number;
}

const ranker: readonly BenchInput[] = [
  { name: 'behaviours', datatype: 'INT64', rowShape: [100] },
  { name: 'candidates', datatype: 'INT64', rowShape: [50] },
];

export const benchModels = {
  tiny: { name: 'tiny', title: 'tiny MLP', inputs: [{ name: 'x', datatype: 'FP32', rowShape: [16] }], peerThreads: 1 },
  ranker2m: { name: 'ranker2m', title: '2M ranker', inputs: ranker, peerThreads: 2 },
  ranker32m: { name: 'ranker32m', title: '32M ranker', inputs: ranker, peerThreads: 2 },
} as const satisfies Record<string, BenchModel>;

/** What every subject is told for every model. */
export const maxBatchRows = 32;
