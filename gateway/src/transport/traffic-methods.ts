import { trafficService } from '@headrace/proto';
import type { ExplainResponse, LimitsResponse } from '@headrace/proto';
import { HeadraceError } from '@headrace/runtime';
import type { Logger, Refusal } from '@headrace/runtime';
import { unary } from '@headrace/wire';
import type { MethodHandler, Peer, UnaryCall } from '@headrace/wire';
import { decoded } from './core-methods.js';

/** What people may ask of admission. */
export interface TrafficView {
  /** Undefined: allowed. */
  authorize(peer: Peer): Refusal | undefined;
  /** `tenant` '': those that the policy names, and the `mostOthers` busiest of the others. */
  limits(tenant: string, mostOthers: number): Promise<LimitsResponse>;
  explain(requestId: string): Promise<ExplainResponse>;
}

const defaultMostOthers = 20;
const mostOthersAtAll = 1000;

/** headrace.v1.Traffic. It names tenants and tells of their requests, so that it asks who wants to know. */
export function trafficMethods({ view, logger }: { view: TrafficView; logger: Logger }): MethodHandler[] {
  const { Limits, Explain } = trafficService.methods;
  const authorize = ({ peer, path }: UnaryCall): void => {
    const denied = view.authorize(peer);
    if (denied === undefined) return;
    logger.warn({ path, peer: peer.address, identities: peer.identities }, 'call refused');
    throw new HeadraceError(denied);
  };
  return [
    unary(
      Limits.path,
      async (message, call) => {
        authorize(call);
        const { tenant, most_others: most } = decoded('LimitsRequest', () => Limits.request.decode(message));
        return Limits.response.encode(await view.limits(tenant, most === 0 ? defaultMostOthers : Math.min(most, mostOthersAtAll)));
      },
      logger,
    ),
    unary(
      Explain.path,
      async (message, call) => {
        authorize(call);
        const { request_id: requestId } = decoded('ExplainRequest', () => Explain.request.decode(message));
        if (requestId === '')
          throw HeadraceError.of('INVALID_PARAMETER', 'request_id: expected the x-request-id of a request, got none', idField);
        return Explain.response.encode(await view.explain(requestId));
      },
      logger,
    ),
  ];
}

const idField = { field: 'request_id' };
