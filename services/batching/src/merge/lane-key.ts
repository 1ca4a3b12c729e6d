import { createHash } from 'node:crypto';
import type { InferRequestView, InputView, ParameterValue } from '@headrace/proto';
import { requestParameter } from '@headrace/proto';
import type { LaneKey } from '../types.js';

/** A key longer than this is replaced by its SHA-256: a client must not be able to store kilobytes per lane. */
const maxKeyLength = 256;
/** They say when to run, not what: requests that differ in them alone still run together. */
const schedulingParameters: ReadonlySet<string> = new Set([requestParameter.priority, requestParameter.timeoutUs]);

/**
 * Two requests with one key may run as one: same model, version, input names, datatypes and non-batch dims, requested
 * outputs with their parameters (in their order, which the response follows), and all request parameters but priority
 * and timeout. The order of inputs does not matter, and neither does raw against typed contents.
 *
 * Every string in the key is preceded by its length, so that no two different requests read the same: a model "a" of
 * version "b:1" is `1:a3:b:1`, a model "a3:b" of version "1" is `4:a3:b1:1`.
 */
export function laneKey(view: InferRequestView, resolvedVersion: string): LaneKey {
  let key = text(view.modelName) + text(resolvedVersion) + inputs(view.inputs, true);
  key += `o${view.outputs.length}`;
  for (const output of view.outputs) key += text(output.name) + parameters(output.parameters, undefined);
  return bounded(key + parameters(view.parameters, schedulingParameters));
}

/**
 * Requests that cost alike: model (and version, where given: a new version then starts a fit of its own), input names,
 * datatypes and non-batch dims.
 */
export function shapeClass(view: InferRequestView, resolvedVersion = ''): string {
  return bounded(text(view.modelName) + text(resolvedVersion) + inputs(view.inputs, false));
}

function inputs(views: readonly InputView[], withParameters: boolean): string {
  let key = `i${views.length}`;
  for (const { name, datatype, shape, parameters: own } of byName(views)) {
    key += `${text(name)}${text(datatype)}${shape.length}[${shape.slice(1).join()}]`;
    if (withParameters) key += parameters(own, undefined);
  }
  return key;
}

function byName(views: readonly InputView[]): readonly InputView[] {
  return views.length < 2 ? views : views.toSorted((left, right) => (left.name < right.name ? -1 : left.name > right.name ? 1 : 0));
}

function parameters(map: ReadonlyMap<string, ParameterValue>, without: ReadonlySet<string> | undefined): string {
  if (map.size === 0) return 'p0';
  const names = [...map.keys()].filter((name) => without?.has(name) !== true).toSorted();
  let key = `p${names.length}`;
  for (const name of names) key += text(name) + value(map.get(name));
  return key;
}

function value(parameter: ParameterValue | undefined): string {
  if (typeof parameter === 'string') return `s${text(parameter)}`;
  if (typeof parameter === 'bigint') return `i${parameter};`;
  if (typeof parameter === 'boolean') return parameter ? 't' : 'f';
  if (parameter === undefined) return 'u';
  // -0 prints as 0, and a model may tell them apart.
  return Object.is(parameter, -0) ? 'd-0;' : `d${parameter};`;
}

function text(value: string): string {
  return `${value.length}:${value}`;
}

function bounded(key: string): string {
  // '#' cannot start a readable key, which starts with a length.
  return key.length <= maxKeyLength ? key : `#${createHash('sha256').update(key).digest('base64url')}`;
}
