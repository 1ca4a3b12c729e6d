/** One line of the Prometheus text format. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const line = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})?\s+(\S+)(?:\s+-?\d+)?$/;
const label = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"/g;

/** The samples whose names `wanted` accepts; comments and lines that are none are skipped. */
export function parseExposition(text: string, wanted: (name: string) => boolean): Sample[] {
  const samples: Sample[] = [];
  for (const raw of text.split('\n')) {
    const match = line.exec(raw);
    const [, name, labels, value] = match ?? [];
    if (name === undefined || value === undefined || !wanted(name)) continue;
    samples.push({ name, labels: parseLabels(labels ?? ''), value: value === '+Inf' ? Infinity : Number(value) });
  }
  return samples;
}

const escapes: Readonly<Record<string, string>> = { '\\n': '\n', '\\"': '"', '\\\\': '\\' };

function parseLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const [, name = '', value = ''] of text.matchAll(label))
    labels[name] = value.replace(/\\[n"\\]/g, (found) => escapes[found] ?? found);
  return labels;
}
