import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import { type BodyMemory, describeUnfinished } from './body-memory.ts';
import { ClientResponse, keepAliveS } from './client-response.ts';
import {
  type EncodedRequest,
  type FailedRequest,
  type RawResponse,
  reconnectPauseMs,
  socketFailure,
  type TransportFailure,
} from './message.ts';
import { type ParsedResponse, ResponseParser } from './response-parser.ts';

export interface ConnectionSettings {
  readonly endpoint: Endpoint;
  /** Limit of the whole request, for the message of a timeout. */
  readonly timeoutS: number;
  /** Wait a little before connecting again and again: for users who would ask at once again. */
  readonly pausesAfterFailures: boolean;
  /** Where what is read is put, for all connections of a thread: it is dealt with before anything else is read. */
  readonly readBuffer: Buffer;
  /** That of all connections of the process. */
  readonly bodies: BodyMemory;
}

/** Whom to connect to. Read out of the URL once: after a pause hundreds of connections may be made at the same time. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
  /** What TLS calls the server; empty for addresses, which it does not name. */
  readonly servername: string;
  /** Undefined where certificates are not checked. */
  readonly trusted: SecureContext | undefined;
}

/** Connections that idle for less are used without a look at what the server said about that. */
const SHORT_IDLE_MS = 1000;

/**
 * Sends one request at a time over one socket, which is made when it is needed and again when it broke. Each request is
 * sent at most once, and its end is reported once.
 */
export class Connection {
  readonly #settings: ConnectionSettings;
  readonly #onResponse: (response: RawResponse, nowMs: number) => void;
  readonly #parser: ResponseParser;
  #socket: Socket | undefined;
  #isConnected = false;
  /** Until it is written. */
  #waiting: EncodedRequest | undefined;
  #isInFlight = false;
  #deadlineMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #timerAtMs = 0;
  #pause: NodeJS.Timeout | undefined;
  #failuresInARow = 0;
  /** How long each address of a name with several may take to accept. */
  #attemptMs = 250;
  #idleSinceMs = 0;
  #lastHead: Pick<ParsedResponse, 'headBytes' | 'headLength'> | undefined;

  /** `onResponse` must not throw. */
  constructor(settings: ConnectionSettings, onResponse: (response: RawResponse, nowMs: number) => void) {
    this.#settings = settings;
    this.#onResponse = onResponse;
    this.#parser = new ResponseParser(settings.bodies);
  }

  /** Times are those of `performance.now()`. Nothing else may be in flight. */
  send(request: EncodedRequest, method: string, nowMs: number, deadlineMs: number): void {
    if (this.#isConnected && nowMs - this.#idleSinceMs > SHORT_IDLE_MS && this.#hasIdledTooLong(nowMs)) this.#drop();
    this.#isInFlight = true;
    this.#deadlineMs = deadlineMs;
    if (this.#timer === undefined || this.#timerAtMs > deadlineMs) this.#setTimer(nowMs);
    this.#parser.expect(method);
    if (this.#isConnected) {
      this.#write(request);
      return;
    }
    this.#waiting = request;
    const pauseMs = this.#settings.pausesAfterFailures ? reconnectPauseMs(this.#failuresInARow) : 0;
    if (pauseMs === 0) this.#connect();
    else this.#pause = setTimeout(() => this.#connect(), pauseMs);
  }

  close(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#pause);
    this.#isInFlight = false;
    this.#drop();
  }

  #write({ text, encoding, bytes }: EncodedRequest): void {
    this.#socket?.write(text, encoding);
    if (bytes !== undefined) this.#socket?.write(bytes);
  }

  #connect(): void {
    const { endpoint, readBuffer } = this.#settings;
    const { host, port, isTls, servername, trusted } = endpoint;
    const options = { host, port, autoSelectFamilyAttemptTimeout: this.#attemptMs };
    const socket: Socket = isTls
      ? connectTls({
          ...options,
          servername,
          rejectUnauthorized: trusted !== undefined,
          ...(trusted !== undefined && { secureContext: trusted }),
        })
      : connectTcp({
          ...options,
          noDelay: true,
          onread: {
            buffer: readBuffer,
            callback: (length) => {
              if (this.#socket === socket) this.#read(readBuffer, length);
              return true;
            },
          },
        });
    this.#socket = socket;
    if (isTls) {
      socket.setNoDelay(true);
      socket.on('data', (bytes: Buffer) => {
        if (this.#socket === socket) this.#read(bytes, bytes.length);
      });
    }
    socket.on(isTls ? 'secureConnect' : 'connect', () => {
      if (this.#socket === socket) this.#onConnected();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (this.#socket === socket) this.#onError(error);
    });
    const onEnd = (): void => {
      if (this.#socket === socket) this.#onHungUp();
    };
    socket.on('end', onEnd);
    socket.on('close', onEnd);
  }

  #onConnected(): void {
    this.#isConnected = true;
    const request = this.#waiting;
    this.#waiting = undefined;
    if (request !== undefined) this.#write(request);
  }

  #read(bytes: Buffer, length: number): void {
    // Bytes nobody asked for: the connection is of no more use.
    if (!this.#isInFlight) {
      this.#drop();
      return;
    }
    const parser = this.#parser;
    const used = parser.read(bytes, 0, length);
    if (parser.state === 'complete') this.#onComplete(used < length);
    else if (parser.state === 'malformed') {
      this.#fail('malformed', `the answer is not HTTP/1.1: ${parser.malformed}`);
    }
  }

  #onComplete(hasMore: boolean): void {
    const { response } = this.#parser;
    this.#failuresInARow = 0;
    const nowMs = performance.now();
    this.#idleSinceMs = nowMs;
    // Not the body, which may be large.
    if (response.body === null) this.#lastHead = response;
    else this.#lastHead = { headBytes: response.headBytes, headLength: response.headLength };
    if (hasMore || !response.keepsConnection) this.#drop();
    this.#end(new ClientResponse(response, this.#settings.bodies.noteRead), nowMs);
  }

  #onError(error: NodeJS.ErrnoException): void {
    const wasGivenUp = error instanceof AggregateError && error.errors.some(({ code }) => code === 'ETIMEDOUT');
    if (this.#isConnected || !wasGivenUp || performance.now() >= this.#deadlineMs) {
      this.#failWith(socketFailure(error, this.#isConnected));
      return;
    }
    // Node gave up each address of the name after a moment, which is no answer of the server: a longer moment, then.
    this.#attemptMs *= 2;
    this.#socket?.destroy();
    this.#connect();
  }

  #onHungUp(): void {
    this.#parser.end();
    if (this.#isInFlight && this.#parser.state === 'complete') this.#onComplete(true);
    else this.#fail('reset', 'the server closed the connection before its answer was complete');
  }

  #fail(outcome: TransportFailure, message: string): void {
    this.#failWith({ kind: 'failed', outcome, message });
  }

  #failWith(failure: FailedRequest): void {
    this.#drop();
    if (!this.#isInFlight) return;
    if (failure.outcome !== 'timeout') this.#failuresInARow += 1;
    this.#end(failure, performance.now());
  }

  /** The last step of whatever ends a request: the next one may be sent on the way. */
  #end(response: RawResponse, nowMs: number): void {
    this.#isInFlight = false;
    this.#onResponse(response, nowMs);
  }

  #drop(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#isConnected = false;
    this.#parser.reset();
    this.#waiting = undefined;
    socket?.destroy();
  }

  #hasIdledTooLong(nowMs: number): boolean {
    const keptS = this.#lastHead === undefined ? undefined : keepAliveS(this.#lastHead);
    // A server that is about to close the connection would break a request that comes at the same time.
    return keptS !== undefined && (nowMs - this.#idleSinceMs) / 1000 > keptS - 1;
  }

  #setTimer(nowMs: number): void {
    clearTimeout(this.#timer);
    this.#timerAtMs = this.#deadlineMs;
    this.#timer = setTimeout(() => this.#checkDeadline(), Math.max(1, Math.ceil(this.#deadlineMs - nowMs)));
  }

  /** One timer for many requests: when it fires, it mostly finds a younger request, and waits for what that has left. */
  #checkDeadline(): void {
    this.#timer = undefined;
    if (!this.#isInFlight) return;
    const nowMs = performance.now();
    if (this.#deadlineMs > nowMs) {
      this.#setTimer(nowMs);
      return;
    }
    clearTimeout(this.#pause);
    const missing = !this.#isConnected
      ? 'not connected'
      : this.#parser.state === 'waiting'
        ? 'no first byte of an answer'
        : 'no complete answer';
    this.#fail(
      'timeout',
      `${missing} within ${this.#settings.timeoutS} s${describeUnfinished(this.#parser.bodyLength)}`,
    );
  }
}

/** Whose certificates are accepted, for the process of a generator. */
export interface Trust {
  /** Further certificate authorities, in PEM. */
  readonly authorities: string | undefined;
}

/** `address`: that of the host, where it is known. `trust`: undefined where certificates are not checked. */
export function endpointOf({ hostname, port, protocol }: URL, address?: string, trust?: Trust): Endpoint {
  const host = hostname.replace(/^\[|\]$/g, '');
  const isTls = protocol === 'https:';
  return {
    host: address ?? host,
    port: port === '' ? (isTls ? 443 : 80) : Number(port),
    isTls,
    servername: isIP(host) === 0 ? host : '',
    trusted: isTls && trust !== undefined ? contextOf(trust) : undefined,
  };
}

/** Made once: reading a hundred authorities takes longer than connecting. */
function contextOf({ authorities }: Trust): SecureContext {
  return createSecureContext(authorities === undefined ? {} : { ca: [...getCACertificates('default'), authorities] });
}
