const count = { type: 'integer', minimum: 1, maximum: 1024 } as const;
const tensor = {
  type: 'object',
  required: ['name'],
  properties: {
    name: { type: 'string', minLength: 1 },
    datatype: {
      type: 'string',
      enum: ['BOOL', 'UINT8', 'UINT16', 'UINT32', 'UINT64', 'INT8', 'INT16', 'INT32', 'INT64', 'FP16', 'FP32', 'FP64', 'BYTES'],
    },
    shape: { type: 'array', items: { type: 'integer', minimum: -1 }, description: 'Whole shape, batch axis included; -1 = any.' },
  },
} as const;

/** Structural schema of model.yaml. All is optional: an empty file is a model that is never batched. */
export const modelYamlSchema = {
  type: 'object',
  properties: {
    file: { type: 'string', pattern: '^[^/\\\\]+$', description: 'Name of the graph inside a version folder; model.onnx when absent.' },
    batching: {
      type: 'object',
      properties: {
        maxBatchSize: { type: 'integer', minimum: 0, maximum: 65536, description: 'Rows of the largest run; 0 = never batched.' },
        maxQueuedRows: { type: 'integer', minimum: 1 },
        maxLanes: { type: 'integer', minimum: 1 },
        agingMs: { type: 'integer', minimum: 1 },
        bypassMaxSharePercent: { type: 'number', minimum: 0, maximum: 100 },
      },
    },
    instances: {
      type: 'object',
      properties: {
        count: { ...count, description: 'Copies of the model; the CPU quota when absent.' },
        cores: {
          type: 'array',
          items: { type: 'integer', minimum: 0, maximum: 65535 },
          minItems: 1,
          description: 'Instance i runs on cores[i % length].',
        },
        threads: { type: 'string', enum: ['auto', 'own', 'shared'] },
        intraOpThreads: count,
      },
    },
    executionProvider: {
      type: 'object',
      required: ['name'],
      properties: {
        name: { type: 'string', enum: ['cpu', 'cuda', 'tensorrt'] },
        deviceId: { type: 'integer', minimum: 0, maximum: 1023 },
        fallback: { type: 'string', enum: ['cpu'], description: 'Used when the provider does not load; without it the load fails.' },
      },
    },
    versions: {
      type: 'object',
      minProperties: 1,
      maxProperties: 1,
      properties: {
        latest: { type: 'integer', minimum: 1 },
        specific: { type: 'array', items: { type: 'integer', minimum: 1 }, minItems: 1 },
        all: { type: 'boolean', enum: [true] },
      },
    },
    inputs: { type: 'array', items: tensor },
    outputs: { type: 'array', items: tensor },
    warmup: {
      type: 'array',
      maxItems: 100,
      items: {
        type: 'object',
        properties: {
          name: { type: 'string' },
          rows: { type: 'integer', minimum: 1 },
          runs: count,
          inputs: {
            type: 'object',
            additionalProperties: {
              type: 'object',
              required: ['shape'],
              properties: {
                shape: {
                  type: 'array',
                  items: { type: 'integer', minimum: 0 },
                  description: 'Without the batch axis for a batchable model.',
                },
                fill: { type: 'string', enum: ['zero', 'random'] },
              },
            },
          },
        },
      },
    },
  },
} as const;

/** What the schema describes. */
export interface ModelYaml {
  readonly file?: string;
  readonly batching?: {
    readonly maxBatchSize?: number;
    readonly maxQueuedRows?: number;
    readonly maxLanes?: number;
    readonly agingMs?: number;
    readonly bypassMaxSharePercent?: number;
  };
  readonly instances?: {
    readonly count?: number;
    readonly cores?: readonly number[];
    readonly threads?: 'auto' | 'own' | 'shared';
    readonly intraOpThreads?: number;
  };
  readonly executionProvider?: { readonly name: 'cpu' | 'cuda' | 'tensorrt'; readonly deviceId?: number; readonly fallback?: 'cpu' };
  readonly versions?: { readonly latest?: number; readonly specific?: readonly number[]; readonly all?: true };
  readonly inputs?: readonly YamlTensor[];
  readonly outputs?: readonly YamlTensor[];
  readonly warmup?: readonly {
    readonly name?: string;
    readonly rows?: number;
    readonly runs?: number;
    readonly inputs?: Readonly<Record<string, { readonly shape: readonly number[]; readonly fill?: 'zero' | 'random' }>>;
  }[];
}

export interface YamlTensor {
  readonly name: string;
  readonly datatype?:
    | 'BOOL'
    | 'UINT8'
    | 'UINT16'
    | 'UINT32'
    | 'UINT64'
    | 'INT8'
    | 'INT16'
    | 'INT32'
    | 'INT64'
    | 'FP16'
    | 'FP32'
    | 'FP64'
    | 'BYTES';
  readonly shape?: readonly number[];
}
