/**
 * grpc-timeout (grpc/doc/PROTOCOL-HTTP2): TimeoutValue, 1 to 8 digits, then one letter for the unit.
 *
 *   "250m" 250 ms    "3S" 3 s    "1H" 1 h    "20000u" 20 ms
 */
const secondMs = 1_000;
const minuteMs = 60_000;
const hourMs = 3_600_000;

const maxDigits = 8;
const maxValue = 99_999_999;

const zero = 0x30;
const nine = 0x39;

/** Milliseconds, with a fraction; 0 for a deadline that has passed. Undefined when malformed. */
export function parseTimeout(value: string): number | undefined {
  const digits = value.length - 1;
  if (digits < 1 || digits > maxDigits) return undefined;
  let amount = 0;
  for (let at = 0; at < digits; at++) {
    const code = value.charCodeAt(at);
    if (code < zero || code > nine) return undefined;
    amount = amount * 10 + (code - zero);
  }
  switch (value.charCodeAt(digits)) {
    case 0x48: // H
      return amount * hourMs;
    case 0x4d: // M
      return amount * minuteMs;
    case 0x53: // S
      return amount * secondMs;
    case 0x6d: // m
      return amount;
    case 0x75: // u, divided: 9 * 1e-3 is 0.009000000000000001
      return amount / 1e3;
    case 0x6e: // n
      return amount / 1e6;
    default:
      return undefined;
  }
}

/**
 * In the finest unit whose value fits 8 digits, rounded up, so that the server never gives up before the client does:
 * 30 s => "30000000u", 100 s => "100000m". A deadline that has passed is sent as the shortest there is, "1n"; what is
 * longer than 8 digits of hours, Infinity included, as 99999999H.
 */
export function formatTimeout(ms: number): string {
  if (!(ms > 0)) return '1n';
  return (
    inUnit(ms * 1e6, 'n') ??
    inUnit(ms * 1e3, 'u') ??
    inUnit(ms, 'm') ??
    inUnit(ms / secondMs, 'S') ??
    inUnit(ms / minuteMs, 'M') ??
    inUnit(ms / hourMs, 'H') ??
    `${maxValue}H`
  );
}

function inUnit(amount: number, unit: string): string | undefined {
  const whole = Math.ceil(amount);
  return whole <= maxValue ? `${whole}${unit}` : undefined;
}
