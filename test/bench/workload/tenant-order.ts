/** Who sends the next request: each tenant as often as any other, or the nth in 1/n of the cases of the first (Zipf's law). */
export type TenantOrder = 'uniform' | 'zipf';

/** Numbers from 0 to `tenants` - 1, the same ones each time. */
export function tenantOrder(order: TenantOrder, tenants: number, requests: number): Uint32Array {
  const random = randomUnits();
  const chosen = new Uint32Array(requests);
  const draw = order === 'uniform' ? (): number => Math.floor(random() * tenants) : zipf(tenants, random);
  for (let index = 0; index < requests; index++) chosen[index] = draw();
  return chosen;
}

/** Zipf with exponent 1, over tenants in no order of their ranks: frequent ones do not lie side by side in memory. */
function zipf(tenants: number, random: () => number): () => number {
  const sums = new Float64Array(tenants);
  let sum = 0;
  for (let rank = 0; rank < tenants; rank++) {
    sum += 1 / (rank + 1);
    sums[rank] = sum;
  }
  const tenantOfRank = shuffled(tenants, random);
  return () => {
    const wanted = random() * sum;
    let low = 0;
    let high = tenants - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((sums[middle] ?? 0) < wanted) low = middle + 1;
      else high = middle;
    }
    return tenantOfRank[low] ?? 0;
  };
}

/** Fisher and Yates. */
function shuffled(count: number, random: () => number): Uint32Array {
  const numbers = Uint32Array.from({ length: count }, (_, index) => index);
  for (let at = count - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1));
    const kept = numbers[at] ?? 0;
    numbers[at] = numbers[other] ?? 0;
    numbers[other] = kept;
  }
  return numbers;
}

/** [0, 1): mulberry32. */
function randomUnits(): () => number {
  let state = 12_345;
  return () => {
    state = (state + 0x6d_2b_79_f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
