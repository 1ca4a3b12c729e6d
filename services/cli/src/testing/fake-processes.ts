import type { ProcessListener, ProcessSpec, StartProcess } from '../supervise/process-port.js';

export interface FakeProcess {
  readonly spec: ProcessSpec;
  readonly listener: ProcessListener;
  /** Signals it was sent, in order. */
  readonly signals: NodeJS.Signals[];
  listen(grpcPort: number, metricsPort?: number): void;
  announce(grpcPort: number, metricsPort?: number): void;
  exit(code: number | null, signal?: NodeJS.Signals): void;
}

/** Plays the operating system: every start is kept, and the test says what each process does. */
export class FakeProcesses {
  readonly started: FakeProcess[] = [];

  readonly start: StartProcess = (spec, listener) => {
    const signals: NodeJS.Signals[] = [];
    const tell = (event: string) => (grpcPort: number, metricsPort?: number) =>
      listener.onStdoutLine(JSON.stringify({ event, grpcPort, metricsPort: metricsPort ?? null }));
    this.started.push({
      spec,
      listener,
      signals,
      listen: tell('listening'),
      announce: tell('ready'),
      exit: (code, signal) => listener.onExit({ code, signal: signal ?? null }),
    });
    return { pid: 1000 + this.started.length, kill: (signal) => void signals.push(signal) };
  };

  /** The latest start of a program with this text in its name or arguments. */
  latest(text: string): FakeProcess {
    const found = this.started.findLast(({ spec }) => [spec.program, ...spec.args].join(' ').includes(text));
    if (found === undefined) throw new Error(`nothing like ${text} was started`);
    return found;
  }
}
