import type { BatchRequest, LaneKey } from '@headrace/batching';
import type { InferRequestView } from '@headrace/proto';

/** A request in the batcher. It owns its message. */
export interface Job extends BatchRequest {
  readonly model: string;
  /** As requested; "" leaves it to the backend. */
  readonly version: string;
  readonly view: InferRequestView;
}

export interface JobShape {
  readonly lane: LaneKey;
  readonly shapeClass: string;
  readonly rows: number;
  readonly mergeable: boolean;
}
