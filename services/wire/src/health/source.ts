/** A service's health; what the source does not know is undefined. */
export type HealthState = 'SERVING' | 'NOT_SERVING';

/** Who knows the health of what: "" is the process, a service name or a model ("ranker", "ranker/3") a part of it. */
export interface HealthSource {
  /** Undefined: no such service. Cheap, as each change asks again for every watcher. */
  check(service: string): HealthState | undefined;
  /** Calls the listener after anything changed; the result ends the subscription. */
  onChange(listener: () => void): () => void;
  /** Names for the List method; without it List is not offered. */
  list?(): Iterable<string>;
}
