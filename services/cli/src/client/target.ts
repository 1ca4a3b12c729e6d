import { accessSync, constants } from 'node:fs';
import { defaultWire, wireNamed, wireNames, wireVariable } from '@headrace/wire';
import type { TlsClientFiles, WireName } from '@headrace/wire';
import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';
import type { Io } from '../io.js';
import { usageFailure } from '../failure.js';

/** Where a client command goes, and how. */
export interface Target {
  readonly address: string;
  readonly tls: TlsClientFiles | undefined;
  /** What carries gRPC; default: http2. */
  readonly wire?: WireName;
  readonly timeoutMs: number;
}

/** Flags that every client command takes, as commander hands them over. */
export interface TargetFlags {
  readonly address: string;
  readonly tls?: boolean;
  readonly tlsCa?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsServerName?: string;
  readonly timeout: number;
  readonly wire?: string;
}

export const defaultAddress = '127.0.0.1:8001';

export function withTargetFlags(command: Command, io: Io): Command {
  const fromEnv = io.env['HEADRACE_ADDRESS'];
  return command
    .optionsGroup('Connection:')
    .addOption(new Option('--address <host:port>', 'gateway or inference server (or HEADRACE_ADDRESS)').default(fromEnv ?? defaultAddress))
    .option('--timeout <seconds>', 'longest wait for each answer', positiveNumber, 30)
    .option('--tls', 'connect with TLS (implied by the other --tls flags)')
    .option('--tls-ca <file>', "PEM of the authority that signed the server's certificate (default: the system's)")
    .option('--tls-cert <file>', 'PEM client certificate, for mutual TLS')
    .option('--tls-key <file>', 'PEM key of --tls-cert')
    .option('--tls-server-name <name>', "name that the server's certificate must carry")
    .addOption(
      new Option('--wire <name>', `what carries gRPC: ${wireNames.join(' or ')} (or ${wireVariable})`).default(
        io.env[wireVariable] ?? wireNames[0],
      ),
    );
}

export function targetOf(flags: TargetFlags): Target {
  if ((flags.tlsCert === undefined) !== (flags.tlsKey === undefined)) {
    throw usageFailure('--tls-cert and --tls-key belong together: only one was given');
  }
  return { address: checkedAddress(flags.address), tls: tlsOf(flags), wire: wireOf(flags), timeoutMs: flags.timeout * 1000 };
}

function wireOf(flags: TargetFlags): WireName {
  const name = wireNamed(flags.wire ?? defaultWire);
  if (name === undefined) throw usageFailure(`--wire ${flags.wire ?? ''}: expected one of ${wireNames.join(', ')}`);
  return name;
}

function tlsOf(flags: TargetFlags): TlsClientFiles | undefined {
  checkReadable('--tls-ca', flags.tlsCa);
  checkReadable('--tls-cert', flags.tlsCert);
  checkReadable('--tls-key', flags.tlsKey);
  const files: TlsClientFiles = {
    ...(flags.tlsCa === undefined ? {} : { authorityFile: flags.tlsCa }),
    ...(flags.tlsCert === undefined ? {} : { certificateFile: flags.tlsCert }),
    ...(flags.tlsKey === undefined ? {} : { keyFile: flags.tlsKey }),
    ...(flags.tlsServerName === undefined ? {} : { serverName: flags.tlsServerName }),
  };
  return flags.tls === true || Object.keys(files).length > 0 ? files : undefined;
}

/** Here the flag can be named; the transport would only know the file. */
function checkReadable(flag: string, file: string | undefined): void {
  if (file === undefined) return;
  try {
    accessSync(file, constants.R_OK);
  } catch (error) {
    throw usageFailure(
      `${flag} ${file}: cannot be read (${error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'})`,
    );
  }
}

/** "host:port", "[ipv6]:port" or "dns:///host:port". */
export function checkedAddress(address: string): string {
  const match = /^(?:dns:\/\/\/)?(?:\[[0-9a-fA-F:.%]+\]|[^\s:/[\]]+):(\d{1,5})$/.exec(address);
  const port = Number(match?.[1]);
  if (match === null || port < 1 || port > 65_535) {
    throw usageFailure(`--address ${JSON.stringify(address)}: expected host:port`, `e.g. --address ${defaultAddress}, or [::1]:8001`);
  }
  return address;
}

export function positiveNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('Expected a number above 0.');
  return value;
}

export function positiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value <= 0) throw new InvalidArgumentError('Expected a whole number above 0.');
  return value;
}

export function nonNegativeInteger(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isSafeInteger(value) || value < 0)
    throw new InvalidArgumentError('Expected a whole number, 0 or more.');
  return value;
}

/** The flags to repeat in a printed command, so that it reaches the same server; empty for the default address. */
export function repeatTarget(flags: TargetFlags): string {
  const parts: string[] = [];
  if (flags.address !== defaultAddress) parts.push('--address', flags.address);
  if (flags.tlsCa !== undefined) parts.push('--tls-ca', flags.tlsCa);
  if (flags.tlsCert !== undefined) parts.push('--tls-cert', flags.tlsCert);
  if (flags.tlsKey !== undefined) parts.push('--tls-key', flags.tlsKey);
  if (flags.tlsServerName !== undefined) parts.push('--tls-server-name', flags.tlsServerName);
  if (flags.tls === true && parts.every((part) => !part.startsWith('--tls'))) parts.push('--tls');
  return parts.length === 0 ? '' : ` ${parts.join(' ')}`;
}
