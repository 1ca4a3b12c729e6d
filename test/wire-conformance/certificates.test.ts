import { X509Certificate } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';
import { silentLogger, systemClock } from '@headrace/runtime';
import type { Clock, Logger } from '@headrace/runtime';
import { http2Transport } from '@headrace/wire';
import type { Channel, TlsServerFiles, WireServer } from '@headrace/wire';
import { makeCertificates } from '@headrace/wire/testing';
import type { TestCertificates } from '@headrace/wire/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { tempDir } from '../harness/index.js';
import type { TempDir } from '../harness/index.js';
import { until } from '../harness/until.js';
import { Conversation, callUnary } from './calls.js';
import { echoPaths, echoService } from './echo-service.js';

/** The server looks at its files every 5 s: a clock on which its timers run fifty times as fast. */
const speed = 50;
const hurriedClock: Clock = {
  nowMs: () => systemClock.nowMs(),
  wallMs: () => systemClock.wallMs(),
  setTimer: (fire, delayMs) => systemClock.setTimer(fire, delayMs / speed),
};

const names = ['tls.crt', 'tls.key', 'ca.crt'] as const;

/** Files laid out as Kubernetes mounts a Secret: tls.crt -> ..data/tls.crt, and ..data -> ..1, which is swapped as one. */
class Mount {
  readonly #folder: string;
  #version = 0;

  constructor(folder: string) {
    this.#folder = folder;
    for (const name of names) symlinkSync(join('..data', name), this.path(name));
  }

  path(name: (typeof names)[number]): string {
    return join(this.#folder, name);
  }

  swap(from: TestCertificates): void {
    const version = `..${++this.#version}`;
    mkdirSync(join(this.#folder, version));
    this.#fill(join(this.#folder, version), from);
    symlinkSync(version, join(this.#folder, '..new'));
    renameSync(join(this.#folder, '..new'), join(this.#folder, '..data'));
    rmSync(join(this.#folder, `..${this.#version - 1}`), { recursive: true, force: true });
  }

  /** The same files with new contents. */
  overwrite(from: TestCertificates): void {
    this.#fill(this.#folder, from);
  }

  get files(): TlsServerFiles {
    return { certificateFile: this.path('tls.crt'), keyFile: this.path('tls.key') };
  }

  #fill(folder: string, from: TestCertificates): void {
    copyFileSync(from.server.certificateFile, join(folder, 'tls.crt'));
    copyFileSync(from.server.keyFile, join(folder, 'tls.key'));
    copyFileSync(from.authorityFile, join(folder, 'ca.crt'));
  }
}

describe('renewed certificates', () => {
  let first: TestCertificates;
  let second: TestCertificates;
  beforeAll(async () => {
    [first, second] = await Promise.all([makeCertificates(), makeCertificates()]);
  });
  afterAll(() => {
    first.remove();
    second.remove();
  });

  let folder: TempDir;
  let mount: Mount;
  let server: WireServer;
  let port: number;
  let channels: Channel[];
  let log: { renewed: number; unusable: number };
  beforeEach(async () => {
    folder = await tempDir('certificates');
    mount = new Mount(folder.path);
    mount.swap(first);
    channels = [];
    log = { renewed: 0, unusable: 0 };
  });
  afterEach(async () => {
    for (const channel of channels) channel.close();
    await server.drain(0);
    await folder.remove();
  });

  const serve = async (tls: TlsServerFiles, onPort = 0): Promise<void> => {
    const logger: Logger = {
      ...silentLogger,
      info: (_fields, message) => {
        if (message.includes('read again')) log.renewed++;
      },
      error: (_fields, message) => {
        if (message.includes('cannot be used')) log.unusable++;
      },
    };
    server = http2Transport(hurriedClock, logger).createServer({ tls });
    for (const method of echoService().methods) server.register(method);
    ({ port } = await server.listen('127.0.0.1', onPort));
  };
  const open = (tls: Parameters<ReturnType<typeof http2Transport>['openChannel']>[1]['tls']): Channel => {
    const channel = http2Transport(systemClock).openChannel(`127.0.0.1:${port}`, tls === undefined ? {} : { tls });
    channels.push(channel);
    return channel;
  };
  const says = async (talk: Conversation, word: string): Promise<string | undefined> => {
    talk.stream.write(Buffer.from(word));
    return (await talk.next())?.toString();
  };
  const works = async (channel: Channel): Promise<boolean> => {
    const outcome = await callUnary(channel, echoPaths.unary, Buffer.from('x'), { waitForReady: false });
    return outcome.ok;
  };

  test.for([
    ['a link of the mount is swapped', (to: TestCertificates) => mount.swap(to)],
    ['the files are overwritten', (to: TestCertificates) => mount.overwrite(to)],
  ] as const)('are shown to new connections once %s, and a stream that runs goes on', async ([, replace]) => {
    await serve(mount.files);
    const talk = new Conversation(open({ authorityFile: first.authorityFile }), echoPaths.chat);
    expect(await says(talk, 'before')).toBe('before');
    expect(await shownBy(port)).toBe(fingerprint(first.server.certificateFile));

    replace(second);
    await until('the files are read again', () => log.renewed > 0);

    expect(await shownBy(port)).toBe(fingerprint(second.server.certificateFile));
    expect(await works(open({ authorityFile: second.authorityFile }))).toBe(true);
    expect(await works(open({ authorityFile: first.authorityFile }))).toBe(false);
    expect(await says(talk, 'after')).toBe('after');
    talk.stream.end();
    expect(await talk.status).toMatchObject({ code: 0 });
  });

  test.for([
    ['a certificate that is none', 'tls.crt', (): string => 'no certificate'],
    ['an empty certificate', 'tls.crt', (): string => ''],
    ['a key of another certificate', 'tls.key', (): Buffer => readFileSync(second.server.keyFile)],
    ['an authority that is none', 'ca.crt', (): string => 'no certificate'],
    ['an authority cut off in the middle', 'ca.crt', (): Buffer => readFileSync(second.authorityFile).subarray(0, 300)],
  ] as const)('that cannot be used leave the old ones: %s', async ([, name, contents]) => {
    await serve({ ...mount.files, clientAuthorityFile: mount.path('ca.crt') });
    const client = { authorityFile: first.authorityFile, ...first.client };
    const talk = new Conversation(open(client), echoPaths.chat);
    expect(await says(talk, 'before')).toBe('before');

    writeFileSync(mount.path(name), contents());
    await until('the files are found unusable', () => log.unusable > 0);
    expect(log.renewed).toBe(0);
    expect(await works(open(client))).toBe(true);
    expect(await says(talk, 'after')).toBe('after');

    mount.swap(second);
    await until('the repaired files are read', () => log.renewed > 0);
    expect(await works(open({ authorityFile: second.authorityFile, ...second.client }))).toBe(true);
  });

  test('that are gone for a while leave the old ones', async () => {
    await serve(mount.files);
    let looks = 0;
    rmSync(mount.path('tls.crt'));
    // Some rounds of looking: nothing tells from outside that the server has looked.
    const count = (): void => {
      looks++;
      hurriedClock.setTimer(count, 5_000);
    };
    count();
    await until('the server has looked a few times', () => looks > 4);
    expect(log).toEqual({ renewed: 0, unusable: 0 });
    expect(await shownBy(port)).toBe(fingerprint(first.server.certificateFile));
  });

  test('of the clients’ authority decide on new connections, also resumed ones, and on none that stands', async () => {
    await serve({ ...mount.files, clientAuthorityFile: mount.path('ca.crt') });
    const stands = new Conversation(open({ authorityFile: first.authorityFile, ...first.client }), echoPaths.chat);
    expect(await says(stands, 'before')).toBe('before');
    const old: ConnectionOptions = { cert: readFileSync(first.client.certificateFile), key: readFileSync(first.client.keyFile) };
    const admission = await knock(port, old);
    expect(admission).toMatchObject({ admitted: true, session: expect.any(Buffer) as Buffer });

    mount.swap(second);
    await until('the files are read again', () => log.renewed > 0);

    expect(await works(open({ authorityFile: second.authorityFile, ...second.client }))).toBe(true);
    expect(await works(open({ authorityFile: second.authorityFile, ...first.client }))).toBe(false);
    expect(await knock(port, old)).toMatchObject({ admitted: false });
    expect(await knock(port, { ...old, session: admission.session })).toMatchObject({ admitted: false });
    expect(await says(stands, 'after')).toBe('after');
  });

  test('of the client are used when it connects anew', async () => {
    const clientFolder = await tempDir('client-certificates');
    const clientMount = new Mount(clientFolder.path);
    const present = (certificates: TestCertificates): void => clientMount.swap({ ...certificates, server: certificates.client });
    present(first);
    await serve({ ...mount.files, clientAuthorityFile: mount.path('ca.crt') });
    const channel = open({ authorityFile: clientMount.path('ca.crt'), ...clientMount.files });
    expect(await works(channel)).toBe(true);

    present(second);
    await server.drain(0);
    await until('the client hears of it', () => channel.state() !== 'ready');
    mount.swap(second);
    await serve({ ...mount.files, clientAuthorityFile: mount.path('ca.crt') }, port);
    expect(await callUnary(channel, echoPaths.unary, Buffer.from('x'))).toMatchObject({ ok: true });
    await clientFolder.remove();
  });
});

function fingerprint(certificateFile: string): string {
  return new X509Certificate(readFileSync(certificateFile)).fingerprint256;
}

/** The certificate that a new connection sees. */
function shownBy(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ALPNProtocols: ['h2'] }, () => {
      resolve(socket.getPeerCertificate().fingerprint256);
      socket.destroy();
    });
    socket.once('error', reject);
  });
}

interface Admission {
  readonly admitted: boolean;
  readonly session: Buffer | undefined;
}

/** With TLS 1.3 a client learns only afterwards that its certificate was refused: whoever is admitted gets the server's SETTINGS. */
function knock(port: number, options: ConnectionOptions): Promise<Admission> {
  return new Promise((resolve) => {
    let session: Buffer | undefined;
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ALPNProtocols: ['h2'], ...options });
    const answer = (admitted: boolean): void => {
      resolve({ admitted, session });
      socket.destroy();
    };
    socket.on('session', (ticket) => {
      session = ticket;
    });
    // Tickets may come behind the first data.
    socket.once('data', () => setTimeout(() => answer(true), 50));
    socket.once('error', () => answer(false));
    socket.once('close', () => answer(false));
  });
}
