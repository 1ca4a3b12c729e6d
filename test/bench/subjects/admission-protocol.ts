import type { TenantOrder } from '../workload/tenant-order.js';

/** What `node --expose-gc admission-main.js PLAN` is told. */
export interface AdmissionPlan {
  readonly tenants: number;
  readonly order: TenantOrder;
  readonly durationMs: number;
  /** Text of the RoutingTable. */
  readonly table: string;
}

export interface AdmissionResult {
  /** Of tenantOf, admit and release, without what the loop around them takes. */
  readonly cpuNsPerRequest: number;
  /** Of finding the name in a Map of as many names, and nothing else: what is the machine's. */
  readonly lookUpNs: number;
  /** Of all tenants after a request each, in megabytes (10^6 bytes). */
  readonly tenantsMb: number;
}
