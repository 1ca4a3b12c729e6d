/** The figures of the lease protocol; docs/design/0010-shared-quotas.md says what follows from each. */
export const leaseTerms = {
  /** A lease is what was used in this time, and a fleet's burst no less than what flows in it. */
  horizonMs: 100,
  /** Between two exchanges of one tenant at one gateway: at most 50 leases a second. */
  intervalMs: 20,
  /** A lease not renewed ends after this; what a dead gateway held is lost for as long. */
  ttlMs: 2_000,
  /** What is held without use goes back after this. */
  renewAfterMs: 500,
  /** An exchange that takes longer counts as failed. */
  timeoutMs: 250,
  /** Without an answer for this long, and an exchange that failed, the local share has been on its own. */
  outageMs: 500,
  /** Over how much time use is averaged. */
  memoryMs: 200,
  /** The local share of a gateway that knows nothing of the others yet. */
  firstShare: 1 / 4,
  /** Exchanges under way over all tenants, those that timed out and were not answered included. */
  maxUnderWay: 1_024,
  /** The same while the store fails: enough to notice that it is back. */
  maxProbes: 8,
  /** How often it is tried then. */
  probeMs: 50,
  /** Buckets of one tenant in one exchange: the script's limit. */
  maxBuckets: 64,
  /** How often what is due is looked for. */
  tickMs: 5,
  /** Tenants looked at in one tick. */
  maxPerTick: 4_096,
} as const;
