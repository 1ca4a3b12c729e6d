import type { Explanation__Output } from '@headrace/proto';
import { refusalHelp } from '@headrace/runtime';
import type { Colors } from 'picocolors/types.js';
import { formatMs, plural } from './numbers.js';
import { printable } from './printable.js';

const barWidth = 40;

/**
 *     OK in 9.53 ms, 2.10 s ago
 *       request  checkout-42
 *       model    ranker 1
 *       tenant   acme (gold), band 2; asked for priority 1, which the tier does not allow
 *       ran on   server-0, in a batch of 7 rows
 *
 *       admission  0.03 ms
 *       queue      1.20 ms  #####
 *       run        8.10 ms  ##################################
 */
export function renderExplanation(request: Explanation__Output, colors: Colors): string {
  const totalMs = request.stages.reduce((sum, { ms }) => sum + ms, 0);
  const ok = request.reason === 'OK';
  const outcome = ok ? colors.green('OK') : colors.red(printable(request.reason));
  const facts: readonly (readonly [string, string])[] = [
    ['request', request.request_id],
    ['model', `${request.model}${request.version === '' ? '' : ` ${request.version}`}`],
    ['tenant', tenantOf(request)],
    ['ran on', ranOn(request)],
    ['why', ok ? '' : request.message],
    ['meaning', ok ? '' : helpOf(request.reason)],
    ['retry', request.retry_after_ms > 0 ? `it would have come in ${formatMs(request.retry_after_ms)} later` : ''],
  ];
  const lines = facts.filter(([, text]) => text !== '').map(([name, text]) => `  ${colors.dim(name.padEnd(7))}  ${printable(text)}\n`);
  const longestMs = Math.max(...request.stages.map(({ ms }) => ms), Number.MIN_VALUE);
  const stages = request.stages.map(({ name, ms }) => {
    const bar = '#'.repeat(Math.round((ms / longestMs) * barWidth));
    return `  ${printable(name).padEnd(9)}  ${formatMs(ms).padStart(9)}  ${colors.cyan(bar)}`.trimEnd();
  });
  return `${outcome} ${ok ? 'in' : 'after'} ${formatMs(totalMs)}, ${formatMs(request.arrived_ms_ago)} ago\n${lines.join('')}\n${stages.join('\n')}\n`;
}

function tenantOf({ tenant, tier, band, lowered_from: lowered }: Explanation__Output): string {
  const who = tenant === '' ? '(nobody named)' : tenant;
  const parts = [tier === '' ? who : `${who} (${tier})`];
  if (band > 0) parts.push(`band ${band}`);
  const asked = lowered > 0 ? `; asked for priority ${lowered}, which the tier does not allow` : '';
  return `${parts.join(', ')}${asked}`;
}

function ranOn({ backend, batch_rows: rows, attempts }: Explanation__Output): string {
  if (backend === '') return '';
  const again = attempts > 1 ? `, at attempt ${attempts}` : '';
  return `${backend}, in a batch of ${plural(rows, 'row')}${again}`;
}

function helpOf(reason: string): string {
  const help: Readonly<Record<string, string>> = refusalHelp;
  return help[reason] ?? '';
}
