/** A request of a trace, as its client sends it. */
export interface Arrival {
  /** From the start of the trace. Never smaller than that of the arrival before. */
  readonly atMs: number;
  /** '' for a client that nothing names. */
  readonly tenant: string;
  /** Undefined: what the policy says of the tenant. */
  readonly tier: string | undefined;
  /** Undefined: the request carries none. */
  readonly priority: number | undefined;
  readonly rows: number;
  /** From arrival to answer; Infinity: none. */
  readonly deadlineMs: number;
  /** Undefined: the simulation's first model. */
  readonly model: string | undefined;
}

/** What a row of a trace and a generator may ask for; beyond it is a mistake and not a request. */
export const maxRowsOfRequest = 65_536;
