import type { RefusalReason } from '@headrace/runtime';
import { statusCode, statusName } from '@headrace/runtime';
import type { UnaryOutcome, WireStatus } from '@headrace/wire';
import { statusToRefusal } from '@headrace/wire';
import { exitCode, exitCodeOf } from '../exit-code.js';
import { CliFailure } from '../failure.js';
import type { Target } from './target.js';

type FailedOutcome = Extract<UnaryOutcome, { ok: false }>;

/** A failed call -> what the person reads: the server's own sentence, and the next step where one is known. */
export function serverFailure(outcome: FailedOutcome, target: Target, what: string): CliFailure {
  const { status } = outcome;
  if (status.code === statusCode.UNAVAILABLE && outcome.notProcessed && neverConnected(status)) return unreachable(target, status);
  if (status.code === statusCode.DEADLINE_EXCEEDED) {
    return new CliFailure(`${what}: no answer within ${target.timeoutMs / 1000} s`, {
      exitCode: exitCode.timedOut,
      fix: 'wait longer with --timeout',
      reason: 'DEADLINE_EXCEEDED',
    });
  }
  const refusal = statusToRefusal(status);
  const field = refusal.field !== undefined && !status.message.includes(refusal.field) ? ` (field ${refusal.field})` : '';
  return new CliFailure(`${what}: ${status.message || 'no reason given'}${field} [${statusName(status.code)}]`, {
    exitCode: exitCodeOf(status.code),
    fix: fixes[refusal.reason] ?? retryFix(refusal.retryAfterMs),
    reason: refusal.reason,
  });
}

/** What gRPC libraries say when the connection itself could not be made. */
function neverConnected(status: WireStatus): boolean {
  return /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|No connection established|Name resolution failed/i.test(
    status.message,
  );
}

function unreachable(target: Target, status: WireStatus): CliFailure {
  const tls = tlsProblem(status.message);
  const cause = tls ?? /\bE[A-Z]{4,}\b/.exec(status.message)?.[0];
  return new CliFailure(`nobody answers at ${target.address}${cause === undefined ? '' : ` (${cause})`}`, {
    exitCode: exitCode.unavailable,
    fix:
      tls === undefined
        ? 'start it with: npx headrace up    or name another server with --address'
        : 'check --tls, --tls-ca and --tls-server-name',
    reason: 'UNREACHABLE',
  });
}

/** What OpenSSL and Node.js say of a failed handshake, without the addresses of their memory. */
function tlsProblem(message: string): string | undefined {
  if (message.includes('wrong version number')) return 'it does not speak TLS';
  if (!/TLS|SSL|certificate|altnames/i.test(message)) return undefined;
  const words = message.replace(/^.*Last error: (?:Error: )?/s, '').replace(/\s*\.? ?Resolution note:.*$/s, '');
  return words.replace(/[0-9A-F]{8,}:error:[0-9A-F]+:/g, '').trim();
}

const fixes: Partial<Readonly<Record<RefusalReason, string>>> = {
  MODEL_NOT_FOUND: 'see what is served with: npx headrace models',
  VERSION_NOT_FOUND: 'see the versions with: npx headrace models',
  INVALID_TENSOR: 'see what the model takes with: npx headrace models NAME',
  MODEL_NOT_READY: 'see why with: npx headrace models',
  PERMISSION_DENIED:
    'the gateway allows this only from its own machine, or to the identity of its --admin-identity (give --tls-cert and --tls-key)',
};

function retryFix(retryAfterMs: number | undefined): string | undefined {
  return retryAfterMs === undefined ? undefined : `try again in ${Math.ceil(retryAfterMs)} ms`;
}
