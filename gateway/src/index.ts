export { startGateway } from './gateway.js';
export type { Gateway, GatewayOptions } from './gateway.js';
export type { RoutingTable } from './gen/routing-table.js';
export { routingTableSchema } from './gen/routing-table.js';
export { defineGatewayMetrics, defineWorkersMetrics } from './metrics.js';
export type { GatewayGauges, GatewayMetrics, WorkersMetrics } from './metrics.js';
export { parseTable } from './table/parse.js';
