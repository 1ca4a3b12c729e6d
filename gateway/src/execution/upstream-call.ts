import { reportParameter, scanInferResponse } from '@headrace/proto';
import type { InferResponseView } from '@headrace/proto';
import { refuse } from '@headrace/runtime';
import type { Refusal } from '@headrace/runtime';
import { statusToRefusal } from '@headrace/wire';
import type { Channel, ClientCall, Metadata, UnaryOutcome } from '@headrace/wire';

const inferPath = '/inference.GRPCInferenceService/ModelInfer';

export interface UpstreamRequest {
  readonly message: Buffer;
  readonly metadata: Metadata;
  /** Latest of the members' deadlines, not before now; each member leaves at its own. */
  readonly deadlineMs: number;
  readonly members: number;
}

export type UpstreamResult =
  | {
      readonly kind: 'answered';
      /** Borrowed: valid until the listener returns. */
      readonly response: InferResponseView;
      /** As the server measured it; undefined when it does not tell. */
      readonly runMs: number | undefined;
      readonly ranRows: number | undefined;
      /** Wait in the server before the run; 0 when it does not tell. */
      readonly queueMs: number;
    }
  | {
      readonly kind: 'failed';
      readonly refusal: Refusal;
      /** The backend or the way to it was lost, rather than the request refused. */ readonly lost: boolean;
    }
  /** Cancelled from here, because nobody waits any more. */
  | { readonly kind: 'abandoned' };

/**
 * One run on a backend. It is cancelled upstream only when the last of its members has left: one impatient client must
 * not take the others' answer away.
 */
export class UpstreamCall {
  readonly #call: ClientCall;
  #members: number;
  #abandoned = false;

  constructor(channel: Channel, request: UpstreamRequest, done: (result: UpstreamResult) => void) {
    this.#members = request.members;
    // The grace lets a member's own deadline be answered here, with our words, before the backend or the transport cuts the call.
    const options = { metadata: request.metadata, deadlineMs: request.deadlineMs + 50, selfTimed: true };
    this.#call = channel.unary(inferPath, request.message, options, (outcome) => {
      done(this.#abandoned ? { kind: 'abandoned' } : read(outcome));
    });
  }

  memberLeft(): void {
    this.#members -= 1;
    if (this.#members > 0 || this.#abandoned) return;
    this.#abandoned = true;
    this.#call.cancel();
  }
}

function read(outcome: UnaryOutcome): UpstreamResult {
  if (!outcome.ok) {
    const refusal = statusToRefusal(outcome.status);
    return { kind: 'failed', refusal, lost: refusal.reason === 'BACKEND_LOST' };
  }
  const scanned = scanInferResponse(outcome.message);
  if (!scanned.ok)
    return { kind: 'failed', refusal: refuse('BACKEND_PROTOCOL', `the backend's reply cannot be read: ${scanned.message}`), lost: false };
  const { parameters } = scanned.view;
  const runUs = parameters.get(reportParameter.runUs);
  const ranRows = parameters.get(reportParameter.runRows);
  const queueUs = parameters.get(reportParameter.queueUs);
  return {
    kind: 'answered',
    response: scanned.view,
    runMs: typeof runUs === 'bigint' && runUs >= 0n ? Number(runUs) / 1000 : undefined,
    ranRows: typeof ranRows === 'bigint' && ranRows > 0n ? Number(ranRows) : undefined,
    queueMs: typeof queueUs === 'bigint' && queueUs >= 0n ? Number(queueUs) / 1000 : 0,
  };
}
