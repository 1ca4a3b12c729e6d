import { healthService } from '@headrace/proto';
import { refuse } from '@headrace/runtime';
import type { WireStatus } from '../port.js';
import { refusalToStatus } from '../status.js';

/** Longer than any model name; what a watcher asks for is kept in memory. */
const maxServiceCharacters = 1_024;

/** The service that a HealthCheckRequest names; undefined when the bytes are no such request. */
export function requestedService(message: Buffer): string | undefined {
  try {
    const { service } = healthService.methods.Check.request.decode(message);
    return service.length <= maxServiceCharacters ? service : undefined;
  } catch {
    return undefined;
  }
}

export const malformedRequest = (): WireStatus =>
  refusalToStatus(
    refuse(
      'MALFORMED_MESSAGE',
      `expected a grpc.health.v1.HealthCheckRequest with a service of at most ${maxServiceCharacters} characters`,
    ),
  );
