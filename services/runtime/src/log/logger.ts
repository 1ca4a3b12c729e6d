import type { DestinationStream } from 'pino';
import { destination, pino, stdSerializers } from 'pino';
import { prettyStream } from './pretty.js';
import { secretPaths } from './secrets.js';

export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];
export const logFormats = ['json', 'pretty'] as const;
export type LogFormat = (typeof logFormats)[number];

export type LogFields = Readonly<Record<string, unknown>>;

/** Fields first, then a constant sentence: what varies belongs in the fields, so that logs can be counted by message. */
export interface Logger {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  /** False: such a line would go nowhere, and what it says need not be put together. */
  isLevelEnabled(level: LogLevel): boolean;
  /** A logger that adds these fields to each line, e.g. `{ requestId }`. */
  child(fields: LogFields): Logger;
}

export interface LoggerOptions {
  /** Field `name` of each line: the program, e.g. "headrace-gateway". */
  readonly name: string;
  readonly level?: LogLevel;
  /** `json`: one object a line (default). `pretty`: for a person at a terminal. */
  readonly format?: LogFormat;
  /** Where lines go; standard error when absent, so that standard output stays free for announcements and results. */
  readonly stream?: DestinationStream;
}

/** Lines waiting for a reader that does not read are dropped above this, so that a stuck pipe cannot eat the memory. */
const maxBufferedBytes = 4 * 1024 * 1024;

export function createLogger(options: LoggerOptions): Logger {
  const sink = options.stream ?? destination({ fd: 2, sync: false, maxLength: maxBufferedBytes });
  return pino(
    {
      level: options.level ?? 'info',
      base: { name: options.name, pid: process.pid },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      messageKey: 'message',
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: stdSerializers.errWithCause, err: stdSerializers.errWithCause },
      redact: { paths: secretPaths, censor: '[secret]' },
    },
    options.format === 'pretty' ? prettyStream(sink) : sink,
  );
}

const quiet: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {}, isLevelEnabled: () => false, child: () => quiet };

/** Writes nothing; for libraries whose caller gave no logger. */
export const silentLogger: Logger = quiet;
