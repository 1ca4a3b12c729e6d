/** e.g. 0.42 -> "0.42 ms", 12.3 -> "12.3 ms", 1234 -> "1.23 s". Three digits are what a person compares. */
export function formatMs(ms: number): string {
  if (!Number.isFinite(ms)) return '-';
  if (ms >= 1000) return `${trimDigits(ms / 1000)} s`;
  return `${trimDigits(ms)} ms`;
}

/** e.g. 0.1234 -> "0.12", 1.234 -> "1.23", 12.34 -> "12.3", 1234 -> "1234". */
export function trimDigits(value: number): string {
  if (!Number.isFinite(value)) return '-';
  if (value >= 100) return value.toFixed(0);
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** e.g. 12345 -> "12,345", 12.345 -> "12.3". */
export function formatRate(perSecond: number): string {
  if (!Number.isFinite(perSecond)) return '-';
  return perSecond >= 1000 ? Math.round(perSecond).toLocaleString('en-US') : perSecond >= 100 ? perSecond.toFixed(0) : perSecond.toFixed(1);
}

export function formatCount(count: number): string {
  return count.toLocaleString('en-US');
}

/** "1 model", "2 models". */
export function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}
