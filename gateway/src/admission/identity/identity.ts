import type { Clock } from '@headrace/runtime';
import type { Metadata, Peer } from '@headrace/wire';
import type { TrafficPolicy } from '../../domain/traffic.js';
import type { IdentityIo } from './io.js';
import type { IdentityMeter } from './meter.js';
import { openIdentifier } from './open-identifier.js';
import type { OpenIdentifier } from './open-identifier.js';
import { anonymousCaller } from './verdict.js';
import type { Identified } from './verdict.js';

export interface IdentityOptions {
  readonly clock: Clock;
  readonly io: IdentityIo;
  readonly onProblem: (problem: string) => void;
  readonly meter?: IdentityMeter | undefined;
}

type IdentityPolicy = Pick<TrafficPolicy, 'identity' | 'requireIdentity'>;

/** The Identifier of the policy in force; without a policy all callers are anonymous. */
export class Identity {
  readonly #options: IdentityOptions;
  #open: OpenIdentifier | undefined;
  #inForce = 'null';
  #changes: Promise<void> = Promise.resolve();

  constructor(options: IdentityOptions) {
    this.#options = options;
  }

  /** At once whenever nothing has to be checked for the first time. */
  identify(metadata: Metadata, peer: Peer): Identified | Promise<Identified> {
    return this.#open === undefined ? anonymousCaller : this.#open.identifier.identify(metadata, peer);
  }

  /** Of the fetched keys that were not read well for the longest time, in milliseconds; 0 where none are fetched. */
  oldestKeysMs(): number {
    return this.#open?.oldestKeysMs() ?? 0;
  }

  /**
   * Resolves when the policy's identity is in force: the files it names have been read; until then that before it stays.
   * Where identity is as before nothing changes, and what was proven stays known.
   */
  use(policy: IdentityPolicy | undefined): Promise<void> {
    this.#changes = this.#changes.then(() => this.#change(policy));
    return this.#changes;
  }

  close(): Promise<void> {
    return this.use(undefined);
  }

  async #change(policy: IdentityPolicy | undefined): Promise<void> {
    const wanted = JSON.stringify(policy === undefined ? null : [policy.identity, policy.requireIdentity]);
    if (wanted === this.#inForce) return;
    const before = this.#open;
    this.#open =
      policy === undefined
        ? undefined
        : await openIdentifier({ ...this.#options, sources: policy.identity, required: policy.requireIdentity });
    this.#inForce = wanted;
    await before?.close();
  }
}
