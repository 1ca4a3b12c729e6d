import { defineGatewayMetrics, defineWorkersMetrics, routingTableSchema, trafficPolicySchema } from '@headrace/gateway';
import { defineInferenceMetrics } from '@headrace/inference';
import { MetricsRegistry, catalogueMarkdown, refusalHelp, refusalStatus, statusName } from '@headrace/runtime';
import type { RefusalReason } from '@headrace/runtime';
import { schemaRows } from './schema-rows.js';

const generated = '<!-- Written from the code by `npx vitest run test/reference --update`; a test compares them. -->\n\n';

/** docs/reference/metrics.md */
export function metricsPage(): string {
  const zero = (): number => 0;
  const gateway = new MetricsRegistry({ processMetrics: false });
  defineGatewayMetrics(gateway, { heldRequests: zero, heldBytes: zero, queuedRows: zero, oldestKeysSeconds: zero, heldLeases: zero });
  defineWorkersMetrics(gateway, { listening: zero });
  const inference = new MetricsRegistry({ processMetrics: false });
  defineInferenceMetrics(inference, { threads: zero, pooledBytes: zero });
  return `# Metrics

${generated}Prometheus text at \`/metrics\` of the metrics port. Times are in seconds, sizes in bytes. Every process also exports prom-client's default
metrics (CPU, memory, event loop delay, garbage collection). \`reason\` is \`OK\` or one of [the refusal reasons](errors.md).

## headrace-gateway

${catalogueMarkdown(gateway.catalogue())}
## headrace-inference

${catalogueMarkdown(inference.catalogue())}`;
}

/** docs/reference/errors.md */
export function errorsPage(): string {
  const rows = Object.entries(refusalStatus).map(
    ([reason, code]) => `| \`${reason}\` | ${statusName(code)} | ${refusalHelp[reason as RefusalReason]} |`,
  );
  return `# Errors

${generated}Every failed call carries \`grpc-status-details-bin\` with a google.rpc.ErrorInfo: domain \`headrace.dev\` and one of these reasons, which is also
the label \`reason\` of the metrics and a field of the logs. Invalid fields come as google.rpc.BadRequest; where a retry makes sense,
google.rpc.RetryInfo and the trailer \`grpc-retry-pushback-ms\` say when. A status that a backend answered with is passed on unchanged.

| reason | gRPC status | meaning |
|---|---|---|
${rows.join('\n')}
`;
}

/** docs/reference/routing-table.md */
export function routingTablePage(): string {
  return `# RoutingTable

${generated}The gateway's configuration file (\`headrace-gateway --config\`, \`headrace up --config\`). It is read again when it changes; a file with errors is refused
as a whole, with all its errors and their paths, and the table before it stays in force. Unknown keys are errors.

\`\`\`yaml
apiVersion: headrace.dev/v1alpha1
kind: RoutingTable
backends:
  - { name: cpu-0, address: "10.0.0.5:8001", podClass: cpu }
  - { name: gpu-0, address: "10.0.0.9:8001", podClass: gpu-l4 }
models:
  - name: ranker
    timeoutMs: 200
    batching: { maxBatchRows: 64 }
    priority: { bypass: 1, bypassMaxSharePercent: 20 }
\`\`\`

| field | type | meaning |
|---|---|---|
${schemaRows(routingTableSchema)
  .filter((row) => !row.startsWith('| `trafficPolicy.'))
  .join('\n')}

The fields of \`trafficPolicy\` are those below \`spec\` in [TrafficPolicy](traffic-policy.md).
`;
}

/** docs/reference/traffic-policy.md */
export function trafficPolicyPage(): string {
  return `# TrafficPolicy

${generated}Who callers are, what each may use, and who goes first. A document of its own for \`headrace simulate traffic\`; in force as \`trafficPolicy\`, with the
fields below \`spec\`, of a [RoutingTable](routing-table.md). Every error is told at once with its path, and the policy before it stays in force.

\`\`\`yaml
apiVersion: headrace.dev/v1alpha1
kind: TrafficPolicy
metadata: { name: tiers }
spec:
  identity: [{ clientCertificate: uri }, { apiKeys: { file: keys.yaml } }, { header: x-headrace-tenant, trustHeader: true }]
  tiers: # priority 1 is the highest
    - { name: gold, weight: 8, requestsPerSecond: 500, burst: 1000, defaultPriority: 2, maxPriority: 1, deadlineMilliseconds: 50 }
    - { name: free, weight: 1, requestsPerSecond: 20, burst: 40, defaultPriority: 3, maxPriority: 3, deadlineMilliseconds: 500 }
  tenants: [{ name: acme, tier: gold }]
  defaultTier: free
  mode: Enforce # or Shadow: counts, refuses nothing
\`\`\`

A file of API keys holds their SHA-256, never the keys; \`headrace key create --tenant acme\` makes a key and its line:

\`\`\`yaml
keys:
  - { tenant: acme, sha256: 2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae }
  - { tenant: visitor, tier: free, sha256: fcde2b2edba56bf408601fb721fe9b5c338d10ee429ea04fae5511b68fbf8fb9 }
\`\`\`

| field | type | meaning |
|---|---|---|
${schemaRows(trafficPolicySchema).join('\n')}
`;
}

/** docs/reference/command-line.md, from what the programs print. */
export function commandLinePage(helps: ReadonlyMap<string, string>): string {
  const sections = [...helps].map(([command, help]) => `## ${command}\n\n\`\`\`text\n${help.trimEnd()}\n\`\`\`\n`);
  return `# Command line\n\n${generated}${sections.join('\n')}`;
}
