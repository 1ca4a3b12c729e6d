import { createCostBook } from '@headrace/batching';
import { RequestScanner, fileDescriptorProtos, inferenceService } from '@headrace/proto';
import { HeadraceError, MetricsRegistry, describeError, startMetricsServer, statusCode } from '@headrace/runtime';
import type { Clock, Logger, MetricsServer, MetricsSnapshot, Tracing } from '@headrace/runtime';
import { registerHealth, registerReflection } from '@headrace/wire';
import type { HealthSource, TlsServerFiles, Transport, WireServer } from '@headrace/wire';
import { BackendDirectory } from './backends/directory.js';
import { BackendDocuments } from './backends/model-documents.js';
import type { MonitorPace } from './backends/monitor.js';
import { servesVersion } from './domain/backend-view.js';
import { policyOf } from './domain/gateway-table.js';
import type { GatewayTable } from './domain/gateway-table.js';
import { LineBudget } from './insight/line-budget.js';
import { defineGatewayMetrics } from './metrics.js';
import type { GatewayMetrics } from './metrics.js';
import { openIdentity } from './open-identity.js';
import { QuotaSource } from './open-quotas.js';
import { Pipeline } from './pipeline/pipeline.js';
import { MergedRepository } from './repository/merged-repository.js';
import { PressureWatch } from './pressure-watch.js';
import { readTable, watchTable } from './table/watch.js';
import type { TableWatch } from './table/watch.js';
import { coreMethods } from './transport/core-methods.js';
import { inferMethods } from './transport/infer-methods.js';
import type { EndedRequest } from './transport/submit-message.js';
import { trafficMethods } from './transport/traffic-methods.js';
import type { TrafficView } from './transport/traffic-methods.js';
import { AdmissionView } from './traffic-view.js';
import { repositoryMethods } from './transport/repository-methods.js';
import { unsupportedMethods } from './transport/unsupported-methods.js';
import { decideAtTurnEnd } from './turn-decisions.js';
import { shareOfTable } from './workers/limit-shares.js';
import { leaseStoreOf } from './workers/worker-leases.js';
import { relayTraffic } from './workers/traffic-relay.js';
import type { WorkerLink } from './workers/worker-link.js';

export interface GatewayOptions {
  /** The RoutingTable file; watched. */
  readonly configFile: string;
  readonly host: string;
  /** 0: picked by the kernel. */
  readonly grpcPort: number;
  /** 0: picked by the kernel; undefined: no metrics server. */
  readonly metricsPort: number | undefined;
  readonly tls?: TlsServerFiles;
  readonly adminIdentities: readonly string[];
  /** After the drain began, requests are still taken for this long while health says NOT_SERVING. */
  readonly preStopMs: number;
  readonly version: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly tracing: Tracing;
  readonly transport: Transport;
  /** How often backends are looked at; tests shorten it. */
  readonly pace?: MonitorPace;
  /** This gateway is one of `count` workers of one program. Absent: it is alone. */
  readonly siblings?: Pick<WorkerLink, 'turns' | 'leases' | 'siblings'> & { readonly count: number };
}

export interface Gateway {
  readonly grpcPort: number;
  readonly metricsPort: number | undefined;
  /** The table in use. */
  table(): GatewayTable;
  /** Names of the models that some backend serves now. */
  readyModels(): readonly string[];
  /** Takes requests, and a backend is ready. */
  isReady(): boolean;
  /** For the process that sums up several workers' metrics. */
  metricsSnapshot(): Promise<MetricsSnapshot>;
  /** True once a backend is ready; false when none was within the time, or the gateway began to drain. */
  untilReady(timeoutMs: number): Promise<boolean>;
  /** Unready -> take for preStopMs -> refuse new -> finish what was accepted -> close. */
  drain(graceMs: number): Promise<void>;
}

/** A client that has not read the GOAWAY yet may send for about a round trip. */
const crossingMs = 500;

/** Rejects with HeadraceError: the table's problems, one a line; or with Node's error (code EADDRINUSE) for a taken port. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const read = await readTable(options.configFile);
  if (!read.ok) throw HeadraceError.of('INVALID_PARAMETER', read.problems.join('\n'));
  const gateway = new RunningGateway(options, read.table);
  try {
    await gateway.start(read.text);
  } catch (error) {
    await gateway.drain(0);
    throw error;
  }
  return gateway;
}

class RunningGateway implements Gateway {
  readonly #options: GatewayOptions;
  readonly #registry = new MetricsRegistry();
  readonly #metrics: GatewayMetrics;
  readonly #directory: BackendDirectory;
  readonly #pipeline: Pipeline;
  readonly #identity: ReturnType<typeof openIdentity>;
  readonly #documents: BackendDocuments;
  readonly #server: WireServer;
  readonly #listeners = new Set<() => void>();
  #table: GatewayTable;
  #watch: TableWatch | undefined;
  #metricsServer: MetricsServer | undefined;
  #serving = true;
  #drained: Promise<void> | undefined;
  #pressure: PressureWatch | undefined;
  grpcPort = 0;

  constructor(options: GatewayOptions, table: GatewayTable) {
    const { clock, logger, transport, siblings } = options;
    this.#options = options;
    this.#table = shareOfTable(table, siblings?.count ?? 1);
    this.#metrics = defineGatewayMetrics(this.#registry, {
      heldRequests: () => this.#pipeline.heldRequests,
      heldBytes: () => this.#pipeline.heldBytes,
      queuedRows: () => this.#pipeline.queuedRows,
      oldestKeysSeconds: () => this.#identity.oldestKeysMs() / 1000,
      heldLeases: () => quotas.heldLeases,
    });
    const quotas = new QuotaSource({ clock, logger, metrics: this.#metrics, siblings: leaseStoreOf(siblings) });
    this.#directory = new BackendDirectory({
      clock,
      logger,
      transport,
      maxMessageBytes: table.maxMessageBytes,
      onChange: () => this.#onBackends(),
      ...(options.pace === undefined ? {} : { pace: options.pace }),
    });
    siblings?.turns.onFallback(() => this.#metrics.turnFallbacks.inc({}));
    const costs = createCostBook({});
    this.#pipeline = new Pipeline({
      clock,
      logger,
      metrics: this.#metrics,
      costs: siblings?.turns.shareCosts(costs) ?? costs,
      defer: decideAtTurnEnd(() => transport.flush?.()),
      backends: { channel: (name) => this.#directory.channel(name), suspect: (name) => this.#directory.suspect(name) },
      table: this.#table,
      turns: siblings?.turns,
      openQuotas: (shared) => quotas.open(shared),
    });
    this.#identity = openIdentity(clock, logger, this.#metrics);
    this.#documents = new BackendDocuments({
      serving: (model, version) => this.#pipeline.router.backendsFor(model, version, policyOf(this.#table, model)),
      call: (backend, method, request, timeoutMs) => this.#directory.call(backend, method, request, timeoutMs),
    });
    this.#server = transport.createServer({
      maxMessageBytes: table.maxMessageBytes,
      ...(options.tls === undefined ? {} : { tls: options.tls }),
    });
  }

  get metricsPort(): number | undefined {
    return this.#metricsServer?.port;
  }

  async start(tableText: string): Promise<void> {
    const { host, grpcPort, metricsPort, configFile, clock, logger } = this.#options;
    this.#register();
    // Ports first: a taken one is told before anything else is begun.
    if (metricsPort !== undefined) {
      this.#metricsServer = await startMetricsServer({ registry: this.#registry, host, port: metricsPort, ready: () => this.isReady() });
    }
    this.grpcPort = (await this.#server.listen(host, grpcPort)).port;
    await this.#identity.use(this.#table.traffic);
    this.#directory.setSpecs(this.#table.backends, [...this.#table.models.keys()]);
    this.#onBackends();
    this.#pressure = new PressureWatch(
      clock,
      () => this.#pipeline.backendQueue,
      (pressure) => {
        this.#pipeline.admission.setPressure(pressure);
        this.#metrics.pressure.set({}, pressure);
      },
    );
    this.#watch = await watchTable(configFile, tableText, clock, {
      onTable: (table) => this.#applyTable(shareOfTable(table, this.#options.siblings?.count ?? 1)),
      onProblems: (problems) => this.#rejectTable(problems),
    });
    logger.info({ grpcPort: this.grpcPort, metricsPort: this.metricsPort, backends: this.#directory.names().length }, 'gateway listens');
  }

  table(): GatewayTable {
    return this.#table;
  }

  readyModels(): readonly string[] {
    const names = new Set<string>();
    for (const { state, models } of this.#directory.views()) {
      if (state !== 'ready') continue;
      for (const { name } of models.values()) if (this.#modelReady(name, '')) names.add(name);
    }
    return [...names].sort();
  }

  isReady(): boolean {
    return this.#serving && this.#directory.views().some(({ state }) => state === 'ready');
  }

  metricsSnapshot(): Promise<MetricsSnapshot> {
    return this.#registry.snapshot();
  }

  async untilReady(timeoutMs: number): Promise<boolean> {
    if (this.isReady() || !this.#serving) return this.isReady();
    return new Promise((resolve) => {
      const end = (ready: boolean): void => {
        timer.cancel();
        this.#listeners.delete(listener);
        resolve(ready);
      };
      const listener = (): void => {
        if (this.isReady() || !this.#serving) end(this.isReady());
      };
      const timer = this.#options.clock.setTimer(() => end(false), timeoutMs);
      this.#listeners.add(listener);
    });
  }

  drain(graceMs: number): Promise<void> {
    this.#drained ??= this.#drain(graceMs);
    return this.#drained;
  }

  async #drain(graceMs: number): Promise<void> {
    const { clock, preStopMs } = this.#options;
    const endMs = clock.nowMs() + graceMs;
    // 1. Say so, and give load balancers time to see it; what comes meanwhile is served.
    this.#serving = false;
    this.#notify();
    await this.#wait(Math.min(preStopMs, graceMs / 2));
    // 2. GOAWAY and no new connections. A request that crosses the GOAWAY on its way is still taken.
    const leftMs = Math.max(endMs - clock.nowMs(), 0);
    const closed = this.#server.drain(leftMs);
    await Promise.race([closed, this.#wait(Math.min(crossingMs, leftMs / 2))]);
    // 3. Refuse new; 4. finish what was accepted: each connection closes behind its last answer.
    void this.#pipeline.drain();
    await closed;
    await this.#pipeline.close();
    this.#pressure?.close();
    await this.#identity.close();
    this.#directory.close();
    await this.#watch?.close();
    await this.#metricsServer?.close();
  }

  async #wait(ms: number): Promise<void> {
    if (ms > 0) await new Promise<void>((resolve) => this.#options.clock.setTimer(resolve, ms));
  }

  #register(): void {
    const { clock, logger, tracing, version, adminIdentities } = this.#options;
    const repository = new MergedRepository({
      backends: this.#directory,
      adminIdentities,
      logger,
      onControlled: (model) => this.#directory.modelChanged(model),
    });
    const lines = new LineBudget();
    const methods = [
      ...inferMethods({
        scanner: new RequestScanner(),
        clock,
        tracing,
        sink: this.#pipeline,
        callers: this.#identity,
        log: { ended: (entry) => logRequest(logger, clock, lines, entry) },
        onDrain: (listener) => this.#server.onDrain(listener),
      }),
      ...coreMethods({
        serving: { ready: () => this.isReady(), modelReady: (name, modelVersion) => this.#modelReady(name, modelVersion) },
        documents: this.#documents,
        version,
        logger,
      }),
      ...repositoryMethods({ repository, logger }),
      ...trafficMethods({ view: this.#trafficView((peer) => repository.authorize(peer)), logger }),
      ...unsupportedMethods(),
    ];
    for (const method of methods) this.#server.register(method);
    registerHealth(this.#server, this.#health());
    registerReflection(this.#server, fileDescriptorProtos());
  }

  #trafficView(authorize: TrafficView['authorize']): TrafficView {
    const { clock, logger, siblings } = this.#options;
    const { admission, trail } = this.#pipeline;
    const own = new AdmissionView({ clock, admission, trail, models: () => this.#pipeline.modelUse(), authorize });
    if (siblings === undefined) return own;
    const named = (tenant: string): boolean => this.#table.traffic?.tenants.has(tenant) === true;
    const all = relayTraffic({ own, siblings: siblings.siblings, logger, named });
    return { authorize, limits: (tenant, most) => all.limits(tenant, most), explain: (requestId) => all.explain(requestId) };
  }

  #health(): HealthSource {
    return {
      check: (service) => {
        if (service === '' || service === inferenceService.name) return this.isReady() ? 'SERVING' : 'NOT_SERVING';
        // "ranker" or "ranker/3"; a model's own name may contain a slash.
        const slash = service.lastIndexOf('/');
        const split: [string, string] = slash < 0 ? [service, ''] : [service.slice(0, slash), service.slice(slash + 1)];
        for (const [name, version] of [[service, ''] as const, split]) {
          if (this.#serving && this.#modelReady(name, version)) return 'SERVING';
          if (this.#directory.views().some(({ models }) => models.has(name)) || this.#table.models.has(name)) return 'NOT_SERVING';
        }
        return undefined;
      },
      onChange: (listener) => {
        this.#listeners.add(listener);
        return () => void this.#listeners.delete(listener);
      },
    };
  }

  #modelReady(name: string, version: string): boolean {
    const policy = policyOf(this.#table, name);
    return this.#directory.views().some((view) => {
      const model = view.models.get(name);
      const allowed = policy.backends?.has(view.name) ?? true;
      return view.state === 'ready' && allowed && model !== undefined && servesVersion(model, version);
    });
  }

  #onBackends(): void {
    this.#documents.forget();
    this.#pipeline.setBackends(this.#directory.views());
    this.#notify();
  }

  #applyTable(table: GatewayTable): void {
    const { logger } = this.#options;
    try {
      this.#directory.setSpecs(table.backends, [...table.models.keys()]);
    } catch (error) {
      this.#rejectTable([`${this.#options.configFile}: ${describeError(error)}`]);
      return;
    }
    if (table.maxMessageBytes !== this.#table.maxMessageBytes)
      logger.warn({}, 'limits.maxMessageBytes changed: the new value takes effect at the next start');
    this.#table = table;
    this.#pipeline.setTable(table);
    void this.#identity.use(table.traffic);
    this.#onBackends();
    this.#metrics.tableReloads.inc({ result: 'applied' });
    logger.info({ backends: table.backends.length, models: table.models.size }, 'routing table reloaded');
  }

  #rejectTable(problems: readonly string[]): void {
    this.#metrics.tableReloads.inc({ result: 'rejected' });
    this.#options.logger.error({ problems }, 'the changed routing table is unusable: the old one stays in use');
  }

  #notify(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

/** Access lines are for debugging; failures are told with their reason. */
function logRequest(logger: Logger, clock: Clock, lines: LineBudget, entry: EndedRequest): void {
  const { refusal } = entry;
  // Floods of these are what limits are for: counted, and not a line each.
  const quiet = refusal === undefined || refusal.code === statusCode.RESOURCE_EXHAUSTED;
  if (quiet && !logger.isLevelEnabled('debug')) return;
  const { method, requestId, model, peer, arrivedMs } = entry;
  const nowMs = clock.nowMs();
  const fields = { method, requestId, model, peer, elapsedMs: Math.round((nowMs - arrivedMs) * 1000) / 1000 };
  if (refusal === undefined) return logger.debug(fields, 'request answered');
  if (quiet) return logger.debug({ ...fields, reason: refusal.reason }, 'request refused');
  const leftOut = lines.take(refusal.reason, nowMs);
  if (leftOut === undefined) return;
  const more = leftOut === 0 ? {} : { leftOut };
  logger.info({ ...fields, reason: refusal.reason, detail: refusal.message, ...more }, 'request failed');
}
