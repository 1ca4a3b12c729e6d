import type {
  CallOptions,
  Channel,
  MethodHandler,
  ServerCall,
  StreamCall,
  StreamReceiver,
  Transport,
  UnaryCall,
  UnaryOutcome,
  WireServer,
} from '../port.js';

/** What a borrowed message reads like once its listener has returned; 0xdb looks like nothing else in a dump. */
export const poisonByte = 0xdb;

/**
 * Holds the layers above to the port's rule of ownership: each borrowed message lives in memory of its own that is
 * overwritten as soon as its listener returned, and giving a borrowed message away (without a copy) throws.
 */
export function poisoningTransport(inner: Transport): Transport {
  const ledger = new Ledger();
  return {
    createServer: (options) => poisonedServer(inner.createServer(options), ledger),
    openChannel: (address, options) => poisonedChannel(inner.openChannel(address, options), ledger),
  };
}

class Ledger {
  readonly #lent = new WeakSet<ArrayBufferLike>();

  lend(message: Buffer, listener: (borrowed: Buffer) => void): void {
    // Not from Node's shared pool: its ArrayBuffer is the mark of what was lent.
    const borrowed = Buffer.allocUnsafeSlow(message.length);
    message.copy(borrowed);
    this.#lent.add(borrowed.buffer);
    try {
      listener(borrowed);
    } finally {
      borrowed.fill(poisonByte);
    }
  }

  given(message: Buffer): Buffer {
    if (this.#lent.has(message.buffer)) throw new Error('a borrowed message was given to the transport without a copy');
    return message;
  }
}

function poisonedServer(inner: WireServer, ledger: Ledger): WireServer {
  return {
    register: (method) => inner.register(poisonedMethod(method, ledger)),
    listen: async (host, port) => inner.listen(host, port),
    onDrain: (listener) => inner.onDrain(listener),
    drain: async (graceMs) => inner.drain(graceMs),
  };
}

function poisonedMethod(method: MethodHandler, ledger: Ledger): MethodHandler {
  const { path } = method;
  if (method.kind === 'stream') return { kind: 'stream', path, handle: (call) => method.handle(poisonedStreamCall(call, ledger)) };
  return {
    kind: 'unary',
    path,
    handle: (message, call) => ledger.lend(message, (borrowed) => method.handle(borrowed, poisonedUnaryCall(call, ledger))),
  };
}

function poisonedUnaryCall(call: UnaryCall, ledger: Ledger): UnaryCall {
  return withSharedParts<UnaryCall>(call, {
    reply: (message, trailers) => call.reply(ledger.given(message), trailers),
    fail: (status) => call.fail(status),
  });
}

function poisonedStreamCall(call: StreamCall, ledger: Ledger): StreamCall {
  return withSharedParts<StreamCall>(call, {
    onMessage: (listener) => call.onMessage((message) => ledger.lend(message, listener)),
    onEnd: (listener) => call.onEnd(listener),
    write: (message) => call.write(ledger.given(message)),
    onDrain: (listener) => call.onDrain(listener),
    end: (trailers) => call.end(trailers),
    fail: (status) => call.fail(status),
    pause: () => call.pause(),
    resume: () => call.resume(),
  });
}

/** What all server calls have, read through to the inner call each time: some of it changes, some is worked out late. */
function withSharedParts<T extends ServerCall>(call: ServerCall, own: Omit<T, keyof ServerCall>): ServerCall & Omit<T, keyof ServerCall> {
  const shared: ServerCall = {
    get path() {
      return call.path;
    },
    get metadata() {
      return call.metadata;
    },
    get peer() {
      return call.peer;
    },
    get deadlineMs() {
      return call.deadlineMs;
    },
    get cancelled() {
      return call.cancelled;
    },
    onCancel: (listener) => call.onCancel(listener),
    sendHeaders: (metadata) => call.sendHeaders(metadata),
  };
  // Assigned onto `shared`, whose getters stay getters.
  return Object.assign(shared, own);
}

function poisonedChannel(inner: Channel, ledger: Ledger): Channel {
  return {
    unary: (path: string, message: Buffer, options: CallOptions, done: (outcome: UnaryOutcome) => void) =>
      inner.unary(path, ledger.given(message), options, (outcome) => {
        if (!outcome.ok) done(outcome);
        else ledger.lend(outcome.message, (borrowed) => done({ ...outcome, message: borrowed }));
      }),
    stream: (path, options, receiver) => {
      const stream = inner.stream(path, options, poisonedReceiver(receiver, ledger));
      return {
        write: (message) => stream.write(ledger.given(message)),
        end: () => stream.end(),
        cancel: () => stream.cancel(),
        pause: () => stream.pause(),
        resume: () => stream.resume(),
      };
    },
    state: () => inner.state(),
    connect: () => inner.connect(),
    onState: (listener) => inner.onState(listener),
    close: () => inner.close(),
  };
}

function poisonedReceiver(receiver: StreamReceiver, ledger: Ledger): StreamReceiver {
  return {
    onHeaders: (headers) => receiver.onHeaders?.(headers),
    onMessage: (message) => ledger.lend(message, (borrowed) => receiver.onMessage(borrowed)),
    onDrain: () => receiver.onDrain?.(),
    onStatus: (status) => receiver.onStatus(status),
  };
}
