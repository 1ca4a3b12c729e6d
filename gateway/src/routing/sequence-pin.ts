import { refuse } from '@headrace/runtime';
import type { Result } from '@headrace/runtime';
import type { BackendView } from '../domain/backend-view.js';
import type { Target } from '../domain/target.js';
import type { SequenceAffinity } from './affinity.js';
import { pickTarget } from './pick.js';
import { backendOfTarget } from './slot-ids.js';

export interface SequenceToPin {
  /** Unique over models and versions. */
  readonly key: string;
  /** As the client names it, for the text of a refusal. */
  readonly name: string;
  readonly start: boolean;
}

export interface PinWorld {
  readonly affinity: SequenceAffinity;
  readonly backends: readonly BackendView[];
  readonly targets: () => readonly Target[];
  readonly predictMs: (podClass: string) => number;
}

/** The slot that holds the sequence's state; a new sequence gets the best one, if there is any. Refused when the state is lost. */
export function pinSequence(sequence: SequenceToPin, world: PinWorld): Result<string | undefined> {
  const { affinity, backends } = world;
  const lifeOf = (name: string): number | undefined => backends.find((view) => view.name === name && view.state === 'ready')?.life;
  const pin = affinity.find(sequence.key, sequence.start, lifeOf);
  if (pin.kind === 'pinned') return { ok: true, value: pin.targetId };
  if (pin.kind === 'lost') {
    const message = `sequence ${sequence.name}: backend ${pin.backend} was lost, and the sequence's state with it; begin it again`;
    return { ok: false, refusal: refuse('BACKEND_LOST', message) };
  }
  const best = pickTarget(world.targets(), world.predictMs);
  const backend = best === undefined ? undefined : backendOfTarget(best.id);
  if (best !== undefined && backend !== undefined) affinity.pin(sequence.key, best.id, backend, lifeOf(backend) ?? 0);
  return { ok: true, value: best?.id };
}

/** Names a sequence among those of all models. */
export function sequenceKey({ model, version }: { readonly model: string; readonly version: string }, id: string): string {
  return `${model}\u0000${version}\u0000${id}`;
}
