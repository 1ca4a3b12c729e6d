import { inferenceService } from '@headrace/proto';
import { HeadraceError, describeError } from '@headrace/runtime';
import type { Logger, Refusal, Result } from '@headrace/runtime';
import { Metadata, refusalToStatus, unary } from '@headrace/wire';
import type { MethodHandler, Peer, UnaryCall } from '@headrace/wire';
import { decoded, valueOf } from './core-methods.js';

/** The result of a load or unload: a refusal that names each backend, or nothing; the trailer tells it to scripts. */
export interface ControlResult {
  readonly refusal: Refusal | undefined;
  readonly trailer: string | undefined;
}

/** The repository as the sum of the backends'. */
export interface Repository {
  index(onlyReady: boolean): Promise<Buffer>;
  /** Undefined: allowed. */
  authorize(peer: Peer): Refusal | undefined;
  load(message: Buffer): Promise<ControlResult>;
  unload(message: Buffer): Promise<ControlResult>;
  statistics(name: string, version: string): Promise<Result<Buffer>>;
}

const { methods } = inferenceService;
/** ASCII JSON: one object per backend, {backend, ok, reason}. */
export const resultsTrailerKey = 'x-headrace-backend-results';

export function repositoryMethods(options: { repository: Repository; logger: Logger }): MethodHandler[] {
  const { repository, logger } = options;
  return [
    unary(
      methods.RepositoryIndex.path,
      async (message) => repository.index(decoded('RepositoryIndexRequest', () => methods.RepositoryIndex.request.decode(message)).ready),
      logger,
    ),
    unary(
      methods.ModelStatistics.path,
      async (message) => {
        const request = decoded('ModelStatisticsRequest', () => methods.ModelStatistics.request.decode(message));
        return valueOf(await repository.statistics(request.name, request.version));
      },
      logger,
    ),
    control(methods.RepositoryModelLoad.path, repository, logger, 'load'),
    control(methods.RepositoryModelUnload.path, repository, logger, 'unload'),
  ];
}

/** Not `unary`: the answer carries a trailer. Both responses are empty messages, i.e. no bytes. */
function control(path: string, repository: Repository, logger: Logger, what: 'load' | 'unload'): MethodHandler {
  const run = async (message: Buffer, call: UnaryCall): Promise<void> => {
    const denied = repository.authorize(call.peer);
    if (denied !== undefined) {
      logger.warn({ method: what, peer: call.peer.address, identities: call.peer.identities }, 'repository call refused');
      return call.fail(refusalToStatus(denied));
    }
    const { refusal, trailer } = await repository[what](message);
    const trailers = trailer === undefined ? new Metadata() : Metadata.of({ [resultsTrailerKey]: trailer });
    if (refusal === undefined) return call.reply(Buffer.alloc(0), trailers);
    const status = refusalToStatus(refusal);
    if (trailer !== undefined) status.trailers?.set(resultsTrailerKey, trailer);
    call.fail(status);
  };
  return {
    kind: 'unary',
    path,
    handle: (borrowed, call) => {
      run(Buffer.from(borrowed), call).catch((thrown: unknown) => {
        const error = HeadraceError.from(thrown);
        if (error.refusal.reason === 'INTERNAL') logger.error({ path, reason: describeError(error.cause) }, 'method failed');
        call.fail(refusalToStatus(error.refusal));
      });
    },
  };
}
