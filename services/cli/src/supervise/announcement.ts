/** What a server started with --announce writes to its standard output, one JSON object a line. */
export type Announcement =
  /** Its ports are bound and its event loop answers /livez; models load from here on. */
  | { readonly event: 'listening'; readonly grpcPort: number; readonly metricsPort: number | undefined }
  | { readonly event: 'ready'; readonly grpcPort: number; readonly metricsPort: number | undefined }
  | { readonly event: 'model'; readonly name: string; readonly version: string; readonly state: string; readonly reason: string };

/** Undefined for a line that is none: a server may print other things, and events that are not known yet are skipped. */
export function parseAnnouncement(line: string): Announcement | undefined {
  const value = parseObject(line);
  if (value === undefined) return undefined;
  const { event, grpcPort } = value;
  if ((event === 'listening' || event === 'ready') && isPort(grpcPort)) {
    const metricsPort = value['metricsPort'];
    return { event, grpcPort, metricsPort: isPort(metricsPort) ? metricsPort : undefined };
  }
  if (event === 'model' && typeof value['name'] === 'string') {
    return {
      event: 'model',
      name: value['name'],
      version: textOf(value['version']),
      state: textOf(value['state']),
      reason: textOf(value['reason']),
    };
  }
  return undefined;
}

export function parseObject(line: string): Readonly<Record<string, unknown>> | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(line);
    return value !== null && typeof value === 'object' ? (value as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}

function isPort(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 && value < 65_536;
}

function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}
