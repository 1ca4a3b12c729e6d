import { setTimeout as sleep } from 'node:timers/promises';
import { RawPeer } from '@headrace/wire/testing/raw';
import { attackNames, attacks } from './attacks.js';
import type { Attack } from './attacks.js';

/** What an attacker did and heard. */
export interface AttackerReport {
  readonly event: 'attacker';
  readonly connections: number;
  readonly sentBytes: number;
  /** How connections ended, by what the attacker was told. `nothing`: cut off without a word. */
  readonly told: Readonly<Record<string, number>>;
}

const sliceBytes = 256 * 1024;
const dripEveryMs = 50;
/** A connection may be cut off before its last word arrives. */
const nothing = 'nothing';
const frame = { headers: 1, rstStream: 3 } as const;

/** `node attacker-main.js NAME PORT`: attacks until SIGTERM, then prints an AttackerReport. Says `told` when the server first answered it with a word. */
const [name, port] = [process.argv[2], Number(process.argv[3])];
const known = attackNames.find((each) => each === name);
if (known === undefined) throw new Error(`no attack ${JSON.stringify(name)}: expected one of ${attackNames.join(', ')}`);
const attack: Attack = attacks[known];
const told = new Map<string, number>();
const peers = new Set<RawPeer>();
let script: Buffer | undefined;
let connections = 0;
let sentBytes = 0;
let over = false;

process.once('SIGTERM', () => {
  over = true;
  for (const peer of peers) peer.destroy();
  const report: AttackerReport = { event: 'attacker', connections, sentBytes, told: Object.fromEntries(told) };
  process.stdout.write(`${JSON.stringify(report)}\n`, () => process.exit(0));
});
const running = Array.from({ length: attack.connections }, () => repeat());
process.stdout.write(`${JSON.stringify({ event: 'attacking' })}\n`);
await Promise.all(running);

async function repeat(): Promise<void> {
  while (!over) {
    const peer = await RawPeer.open(port, ...(attack.settings ?? [])).catch(() => undefined);
    if (peer === undefined) {
      await sleep(1);
      continue;
    }
    peers.add(peer);
    connections++;
    await send(peer);
    const word = await hear(peer);
    peer.destroy();
    peers.delete(peer);
    if (!over) hearing(word);
  }
}

function hearing(word: string): void {
  const first = word !== nothing && [...told.keys()].every((each) => each === nothing);
  told.set(word, (told.get(word) ?? 0) + 1);
  if (first) process.stdout.write(`${JSON.stringify({ event: 'told' })}\n`);
}

async function send(peer: RawPeer): Promise<void> {
  // Each connection begins with an empty table, so that the bytes are the same on all.
  script ??= attack.script(peer);
  const step = attack.dripBytes ?? sliceBytes;
  for (let at = 0; at < script.length && !peer.closed; at += step) {
    const slice = script.subarray(at, at + step);
    peer.write(slice);
    sentBytes += slice.length;
    if (attack.dripBytes === undefined) await peer.written();
    else await sleep(dripEveryMs);
  }
}

async function hear(peer: RawPeer): Promise<string> {
  const { answers } = attack;
  if (answers === undefined) return (await peer.goaway())?.code ?? nothing;
  const reset = (): number => peer.count(frame.rstStream);
  await peer.until(() => peer.closed || reset() >= answers || (reset() === 0 && peer.count(frame.headers) >= answers && !stalls()));
  if (reset() >= answers) return `RST_STREAM ${await peer.reset(1)}`;
  if (peer.closed) return (await peer.goaway())?.code ?? nothing;
  const fields = peer.lists(1).at(-1) ?? [];
  const at = fields.indexOf('grpc-status');
  return `grpc-status ${at < 0 ? 'none' : fields[at + 1]}`;
}

/** Heads of replies come at once, and their bodies never. */
function stalls(): boolean {
  return attack.settings !== undefined;
}
