/** Of `{"event":"ready","grpcPort":8001}`; undefined for other lines. */
export function readyPort(line: unknown): number | undefined {
  if (typeof line !== 'object' || line === null || !('event' in line) || line.event !== 'ready') return undefined;
  return 'grpcPort' in line && typeof line.grpcPort === 'number' ? line.grpcPort : undefined;
}
