import { inferenceService } from '@headrace/proto';
import { HeadraceError } from '@headrace/runtime';
import type { MethodHandler, Peer } from '@headrace/wire';
import { unary } from '@headrace/wire';
import { decoded } from './metadata.js';
import type { ServiceParts } from './state.js';

const { RepositoryIndex, RepositoryModelLoad, RepositoryModelUnload } = inferenceService.methods;

export interface RepositoryMethodOptions {
  /** False: load and unload are taken from this machine only. */
  readonly remoteControl: boolean;
}

export function repositoryMethods({ host, control }: ServiceParts, options: RepositoryMethodOptions): readonly MethodHandler[] {
  const mayControl = (peer: Peer): void => {
    if (peer.loopback || options.remoteControl) return;
    throw HeadraceError.of(
      'PERMISSION_DENIED',
      'load and unload are taken from loopback only; start the server with --allow-remote-control to change that',
    );
  };
  return [
    unary(RepositoryIndex.path, async (message) => {
      const { ready } = decoded(RepositoryIndex.request, message);
      await control.lookAround();
      const models = host.models.flatMap((model) => model.index().map((entry) => ({ name: model.name, ...entry })));
      return RepositoryIndex.response.encode({ models: ready ? models.filter((entry) => entry.state === 'READY') : models });
    }),
    unary(RepositoryModelLoad.path, async (message, call) => {
      mayControl(call.peer);
      const { model_name: name, parameters } = decoded(RepositoryModelLoad.request, message);
      for (const key of Object.keys(parameters)) {
        if (key.startsWith('file:')) {
          throw HeadraceError.of(
            'INVALID_PARAMETER',
            `parameter ${JSON.stringify(key.slice(0, 80))}: model files in a load request are not supported; put them into the repository`,
            { field: 'parameters' },
          );
        }
        if (key !== 'config') {
          throw HeadraceError.of('INVALID_PARAMETER', `parameter ${JSON.stringify(key.slice(0, 80))}: expected config`, {
            field: 'parameters',
          });
        }
      }
      const config = parameters['config'];
      if (config !== undefined && config.parameter_choice !== 'string_param') {
        throw HeadraceError.of('INVALID_PARAMETER', 'parameter config: expected string_param with a ModelConfig as JSON', {
          field: 'parameters.config',
        });
      }
      await control.load(name, config?.string_param);
      return RepositoryModelLoad.response.encode({});
    }),
    unary(RepositoryModelUnload.path, async (message, call) => {
      mayControl(call.peer);
      const { model_name: name } = decoded(RepositoryModelUnload.request, message);
      await control.unload(name);
      return RepositoryModelUnload.response.encode({});
    }),
  ];
}
