import type { LimitsResponse__Output } from '@headrace/proto';
import type { Colors } from 'picocolors/types.js';
import { formatCount, formatRate, plural } from '../render/numbers.js';
import { printable } from '../render/printable.js';
import { renderTable } from '../render/table.js';
import type { RateOf, TenantLine } from './rates.js';

export interface LimitsView {
  readonly address: string;
  readonly response: LimitsResponse__Output;
  readonly tenants: readonly TenantLine[];
}

/**
 *     quotas shared (enforced)   12 tenants known
 *     TENANT  TIER  REQUESTS/S    LEFT  COMPUTE MS/S  IN FLIGHT  REFUSED/S  MOSTLY
 *     acme    gold  482 of 500     120           610         14       18.0  RATE_LIMITED
 */
export function renderLimits({ address, response, tenants }: LimitsView, colors: Colors): string {
  const mode = response.shadow ? colors.yellow('shadow: refusals are counted, not made') : 'enforced';
  const known = plural(Number(response.known_tenants), 'tenant');
  const head = `${colors.bold(address)}  quotas ${printable(response.quotas)} (${mode})  ${colors.dim(`${known} known`)}\n`;
  const rows = tenants.map((line) => [
    colors.bold(line.tenant === '' ? '(nobody named)' : printable(line.tenant)),
    printable(line.tier),
    paintRate(line.requests, colors),
    leftOf(line.requests),
    paintRate(line.computeMs, colors),
    line.concurrencyLimit === 0 ? String(line.inFlight) : `${line.inFlight} of ${line.concurrencyLimit}`,
    line.refusedPerSecond > 0 ? colors.red(formatRate(line.refusedPerSecond)) : '-',
    printable(line.refusedBy[0]?.reason ?? ''),
  ]);
  const tenantTable = renderTable(
    [
      { title: 'TENANT' },
      { title: 'TIER' },
      { title: 'REQUESTS/S', align: 'right' },
      { title: 'LEFT', align: 'right' },
      { title: 'COMPUTE MS/S', align: 'right' },
      { title: 'IN FLIGHT', align: 'right' },
      { title: 'REFUSED/S', align: 'right' },
      { title: 'MOSTLY' },
    ],
    rows,
    colors,
  );
  if (response.models.length === 0) return `${head}\n${tenantTable}`;
  const modelTable = renderTable(
    [
      { title: 'MODEL' },
      { title: 'UNDER WAY', align: 'right' },
      { title: 'LIMIT', align: 'right' },
      { title: 'QUEUED ROWS', align: 'right' },
    ],
    response.models.map(({ model, under_way, limit, queued_rows }) => [
      colors.bold(printable(model)),
      formatCount(Number(under_way)),
      limit === 0 ? '-' : formatCount(Math.round(limit)),
      formatCount(Math.round(queued_rows)),
    ]),
    colors,
  );
  return `${head}\n${tenantTable}\n${modelTable}`;
}

/** Yellow from 90 % of the limit. */
function paintRate({ usedPerSecond, limitPerSecond }: RateOf, colors: Colors): string {
  if (limitPerSecond === 0) return formatRate(usedPerSecond);
  const text = `${formatRate(usedPerSecond)} of ${formatRate(limitPerSecond)}`;
  return usedPerSecond >= 0.9 * limitPerSecond ? colors.yellow(text) : text;
}

function leftOf({ limitPerSecond, left }: RateOf): string {
  return limitPerSecond === 0 ? '-' : formatCount(Math.floor(left));
}
