import type { ModelExecution } from '../execute/model-execution.js';
import type { LoadedModel } from './loaded-model.js';

/**
 * The life of one model version. Each state carries what exists in it and nothing else.
 *
 *     unavailable --> loading --> warming --> ready --> draining --> unloaded
 *                        |           |          |
 *                        +-----------+----------+--> failed{reason}
 */
export type VersionState =
  | { readonly kind: 'unavailable'; readonly reason: string }
  | { readonly kind: 'loading' }
  | { readonly kind: 'warming'; readonly loaded: LoadedModel }
  | { readonly kind: 'ready'; readonly loaded: LoadedModel; readonly execution: ModelExecution }
  | { readonly kind: 'draining'; readonly loaded: LoadedModel; readonly execution: ModelExecution }
  | { readonly kind: 'unloaded' }
  | { readonly kind: 'failed'; readonly reason: string };

/** Triton's words in RepositoryIndex. */
export function indexState(state: VersionState): {
  readonly state: 'READY' | 'LOADING' | 'UNLOADING' | 'UNAVAILABLE';
  readonly reason: string;
} {
  switch (state.kind) {
    case 'unavailable':
    case 'failed':
      return { state: 'UNAVAILABLE', reason: state.reason };
    case 'loading':
    case 'warming':
      return { state: 'LOADING', reason: '' };
    case 'ready': {
      const { unmergedReason } = state.loaded;
      return { state: 'READY', reason: unmergedReason === undefined ? '' : `not batched: ${unmergedReason}` };
    }
    case 'draining':
      return { state: 'UNLOADING', reason: '' };
    case 'unloaded':
      return { state: 'UNAVAILABLE', reason: 'unloaded' };
  }
}
