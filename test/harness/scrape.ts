export type Labels = Readonly<Record<string, string>>;

/** One look at a server's metrics page. */
export class Scrape {
  readonly #lines: readonly string[];

  constructor(text: string) {
    this.#lines = text.split('\n');
  }

  /** Sum over the samples of `name` that carry all of `labels`; 0 where there is none, as a counter that never counted has none. */
  sum(name: string, labels: Labels = {}): number {
    let sum = 0;
    for (const line of this.#lines) {
      const sample = /^([A-Za-z_:]+)(?:\{(.*)\})? (\S+)$/.exec(line);
      if (sample === null || sample[1] !== name) continue;
      const given = sample[2] ?? '';
      if (Object.entries(labels).every(([key, value]) => given.includes(`${key}="${value}"`))) sum += Number(sample[3]);
    }
    return sum;
  }
}

/** GET /metrics of a server on this machine. */
export async function scrape(metricsPort: number | undefined): Promise<Scrape> {
  const response = await fetch(`http://127.0.0.1:${metricsPort}/metrics`);
  if (!response.ok) throw new Error(`/metrics answered ${response.status}`);
  return new Scrape(await response.text());
}
