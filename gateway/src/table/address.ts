/** "host:port", "[ipv6]:port" or "dns:///host:port". */
export function addressProblem(address: string): string | undefined {
  const bare = address.startsWith('dns:///') ? address.slice('dns:///'.length) : address;
  return isEndpoint(bare)
    ? undefined
    : `expected "host:port", "[ipv6]:port" or "dns:///host:port" with a port from 1 to 65535, got ${JSON.stringify(address)}`;
}

/** "host:port" or "[ipv6]:port". */
export function endpointProblem(address: string): string | undefined {
  return isEndpoint(address)
    ? undefined
    : `expected "host:port" or "[ipv6]:port" with a port from 1 to 65535, got ${JSON.stringify(address)}`;
}

function isEndpoint(text: string): boolean {
  const match = /^(\[[0-9a-fA-F:.%]+\]|[^\s:/[\]]+):(\d{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  return port >= 1 && port <= 65_535;
}
