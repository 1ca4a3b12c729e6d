import type { ErrorObject } from 'ajv';
import { show } from './problem.js';
import { suggest } from './suggest.js';

export interface Explanation {
  /** What was expected and what came. */
  readonly message: string;
  /** A key below the error's own path that the problem is about. */
  readonly extra?: string;
}

/** One of ajv's errors in words for the author of the document. */
export function explain(error: ErrorObject): Explanation {
  const params = error.params as Record<string, unknown>;
  const came = show(error.data);
  switch (error.keyword) {
    case 'type':
      return { message: `expected ${typeNames(params['type'])}, got ${came}` };
    case 'required':
      return { message: 'is required', extra: String(params['missingProperty']) };
    case 'additionalProperties':
      return unknownKey(error, String(params['additionalProperty']));
    case 'enum':
      return wrongChoice(error, params['allowedValues']);
    case 'const':
      return { message: `expected ${show(params['allowedValue'])}, got ${came}` };
    case 'minimum':
    case 'maximum':
    case 'exclusiveMinimum':
    case 'exclusiveMaximum':
      return { message: `expected a number ${String(params['comparison'])} ${String(params['limit'])}, got ${came}` };
    case 'multipleOf':
      return { message: `expected a multiple of ${String(params['multipleOf'])}, got ${came}` };
    case 'minLength':
    case 'maxLength':
      return { message: `expected ${bound(error.keyword)} ${String(params['limit'])} characters, got ${came}` };
    case 'minItems':
    case 'maxItems':
      return { message: `expected ${bound(error.keyword)} ${String(params['limit'])} items, got ${(error.data as unknown[]).length}` };
    case 'minProperties':
    case 'maxProperties':
      return {
        message: `expected ${bound(error.keyword)} ${String(params['limit'])} keys, got ${Object.keys(error.data as object).length}`,
      };
    case 'uniqueItems':
      return { message: `items ${String(params['j'])} and ${String(params['i'])} are the same` };
    case 'pattern':
      return { message: `expected text that matches ${String(params['pattern'])}, got ${came}` };
    case 'format':
      return { message: `expected ${String(params['format'])}, got ${came}` };
    default:
      return { message: `${error.message ?? `fails ${error.keyword}`}, got ${came}` };
  }
}

function unknownKey(error: ErrorObject, key: string): Explanation {
  const known = Object.keys((error.parentSchema?.['properties'] ?? {}) as object);
  const close = suggest(key, known);
  if (close !== undefined) return { message: `is unknown; did you mean ${JSON.stringify(close)}?`, extra: key };
  const list = known.length > 0 && known.length <= 20 ? `; known keys: ${known.join(', ')}` : '';
  return { message: `is unknown${list}`, extra: key };
}

function wrongChoice(error: ErrorObject, allowed: unknown): Explanation {
  const choices = Array.isArray(allowed) ? (allowed as unknown[]) : [];
  const texts = choices.filter((choice) => typeof choice === 'string');
  const close = typeof error.data === 'string' ? suggest(error.data, texts) : undefined;
  const hint = close === undefined ? '' : `; did you mean ${JSON.stringify(close)}?`;
  return { message: `expected one of ${choices.map(show).join(', ')}, got ${show(error.data)}${hint}` };
}

function typeNames(type: unknown): string {
  const names = Array.isArray(type) ? type.map(String) : String(type).split(',');
  return names.map((name) => (/^[aeio]/.test(name) ? `an ${name}` : `a ${name}`)).join(' or ');
}

function bound(keyword: string): string {
  return keyword.startsWith('min') ? 'at least' : 'at most';
}
