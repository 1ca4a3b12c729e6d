import type { RefusalReason } from '@headrace/runtime';
import type { Tenant } from '../../domain/tenant.js';
import type { TierPolicy } from '../../domain/traffic.js';
import { CellBlocks } from '../quota/cells.js';
import type { Cells } from '../quota/cells.js';
import { scopeCells } from '../quota/scope.js';
import type { QuotaScope } from '../quota/scope.js';

/** Metrics' label of all tenants that have none of their own. */
export const otherTenants = '(other)';

/** Behind those of Quotas. */
const computeMsCell = scopeCells.all;
const blocks = new CellBlocks(scopeCells.all + 1);

/**
 * The directory's own side of a Tenant: what the stages may not change, and its links in the order of eviction. First what each request
 * touches, so that it shares lines of the cache; numbers with fractions are cells, as a field would make each an object.
 */
export class KnownTenant implements Tenant, Cells {
  readonly name: string;
  policy: TierPolicy;
  /** As the last caller proved it. */
  claimedTier: string | undefined;
  /** Of Quotas alone. */
  quota: QuotaScope | undefined;
  readonly cells: Float64Array;
  readonly at: number;
  /** Whole milliseconds, which V8 keeps in the object itself. */
  usedMs = 0;
  /** Since `renewedMs`. */
  usedAgain = false;
  underWay = 0;
  /** Requests let in; for people. */
  admitted = 0;
  named: boolean;
  label = otherTenants;
  /** Why others were not (in shadow mode: would not have been); undefined for none. */
  refused: Map<RefusalReason, number> | undefined;
  /** When it was last put at the front of the order. */
  renewedMs = 0;
  newer: KnownTenant | undefined;
  older: KnownTenant | undefined;

  constructor(name: string, policy: TierPolicy, named: boolean, claimedTier: string | undefined) {
    this.name = name;
    this.policy = policy;
    this.named = named;
    this.claimedTier = claimedTier;
    const { cells, at } = blocks.next();
    this.cells = cells;
    this.at = at;
  }

  get weight(): number {
    return this.policy.weight;
  }

  /** Made when asked for: it is needed once a lease, not once a request. '%' alone is no percent-encoded name. */
  get key(): string {
    return this.name === '' ? '%' : encodeURIComponent(this.name);
  }

  /** What the requests let in were charged; for people. */
  get computeMs(): number {
    return this.cells[this.at + computeMsCell] ?? 0;
  }

  set computeMs(value: number) {
    this.cells[this.at + computeMsCell] = value;
  }
}
