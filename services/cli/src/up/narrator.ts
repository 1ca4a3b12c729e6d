import type { Io } from '../io.js';
import { formatMs } from '../render/numbers.js';
import type { Progress } from '../render/progress.js';
import { startProgress } from '../render/progress.js';
import { describeExit } from '../supervise/child-state.js';
import type { Hang } from '../supervise/liveness-watch.js';
import { listenWithinMs, livenessPolicy } from '../supervise/liveness-watch.js';
import type { ChildLogLevel } from '../supervise/log-line.js';
import { parseLogLine, renderLogLine, wantedAt } from '../supervise/log-line.js';
import type { PlatformListener } from '../supervise/platform.js';
import { gatewayName } from '../supervise/platform.js';
import type { ModelAnnouncement, ServerState } from '../supervise/supervised-process.js';

/** Tells what happens while the platform runs: progress at the start, then crashes, restarts and the processes' logs. */
export class Narrator implements PlatformListener {
  readonly #io: Io;
  readonly #threshold: ChildLogLevel;
  readonly #json: boolean;
  readonly #replicas: number;
  readonly #models = new Map<string, string>();
  #progress: Progress | undefined;
  #readyReplicas = 0;

  constructor(io: Io, options: { readonly threshold: ChildLogLevel; readonly json: boolean; readonly replicas: number }) {
    this.#io = io;
    this.#threshold = options.threshold;
    this.#json = options.json;
    this.#replicas = options.replicas;
  }

  begin(): void {
    if (!this.#json) this.#progress = startProgress(this.#io, this.#startText());
  }

  endProgress(): void {
    this.#progress?.stop();
    this.#progress = undefined;
  }

  note(text: string, event: Readonly<Record<string, unknown>>): void {
    if (this.#json) this.emit(event);
    else if (this.#progress === undefined) this.#io.stderr.write(`${text}\n`);
    else this.#progress.note(text);
  }

  emit(event: Readonly<Record<string, unknown>>): void {
    this.#io.stdout.write(`${JSON.stringify(event)}\n`);
  }

  onState(process: string, state: ServerState, before: ServerState): void {
    const { colors } = this.#io;
    if (process !== gatewayName) this.#readyReplicas += Number(state.kind === 'ready') - Number(before.kind === 'ready');
    if (state.kind === 'waiting') {
      const restart = `starting it again in ${formatMs(state.untilMs - this.#io.clock.nowMs())}`;
      this.note(`${colors.yellow('warn')} ${process} ${describeExit(state.exit)}, ${restart}`, { event: 'exited', process, ...state.exit });
    } else if (state.kind === 'ready' && before.kind === 'starting' && before.everReady) {
      this.note(`${colors.green('ok')}   ${process} is back`, { event: 'restarted', process });
    } else if (state.kind === 'stopped' && state.gaveUp && state.exit !== undefined && process !== gatewayName) {
      this.note(`${colors.red('error')} ${process} ${describeExit(state.exit)} and was given up`, {
        event: 'gave-up',
        process,
        ...state.exit,
      });
    }
    this.#progress?.update(this.#startText());
  }

  onHung(process: string, hang: Hang): void {
    const { maxSilences, timeoutMs } = livenessPolicy;
    const why =
      hang === 'start'
        ? `it does not listen ${formatMs(listenWithinMs)} after its start`
        : `${maxSilences} health checks in a row were not answered within ${formatMs(timeoutMs)} each`;
    this.note(`${this.#io.colors.yellow('warn')} ${process} hangs: ${why}, killing it`, { event: 'hung', process, hang });
  }

  onModel(process: string, model: ModelAnnouncement): void {
    if (this.#json)
      this.emit({ event: 'model', process, name: model.name, version: model.version, state: model.state, reason: model.reason });
    this.#models.set(`${process} ${model.name} ${model.version}`, model.state.toUpperCase());
    this.#progress?.update(this.#startText());
  }

  onLogLine(process: string, line: string): void {
    const parsed = parseLogLine(line);
    if (!wantedAt(parsed.level, this.#threshold)) return;
    this.note(renderLogLine(process, parsed, this.#io.colors).trimEnd(), { event: 'log', process, level: parsed.level, text: parsed.text });
  }

  #startText(): string {
    if (this.#replicas === 0) return 'starting the gateway';
    const states = [...this.#models.values()];
    const loaded = states.filter((state) => state === 'READY').length;
    const models = states.length === 0 ? 'loading models' : `models loaded: ${loaded} of ${states.length}`;
    return this.#readyReplicas < this.#replicas
      ? `${models}, replicas ready: ${this.#readyReplicas} of ${this.#replicas}`
      : 'replicas ready, starting the gateway';
  }
}
