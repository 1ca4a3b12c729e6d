import type { inferenceService } from '@headrace/proto';

/** inference.ModelConfig as it is given to the codec: any subset of its fields. */
export type ModelConfig = NonNullable<
  NonNullable<Parameters<(typeof inferenceService)['methods']['ModelConfig']['response']['encode']>[0]['config']>
>;
