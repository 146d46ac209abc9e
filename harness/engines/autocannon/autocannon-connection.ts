import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import type { Client } from 'autocannon';
import { TierbenchError } from '../../core/errors.ts';
import {
  BODY_LOST,
  type BodyMemory,
  describeUnfinished,
  joined,
  MOST_BODY_BYTES,
  ReceivedBody,
  SMALL_BODY_BYTES,
} from '../../http-client/body-memory.ts';
import { bodyText, responseFromRawHeaders } from '../../http-client/client-response.ts';
import {
  type EncodedRequest,
  type RawResponse,
  reconnectPauseMs,
  socketFailure,
  type TransportFailure,
} from '../../http-client/message.ts';
import type { PreparedRequest } from '../shared/prepare-request.ts';
import type { ConnectionListener, TransportConnection } from '../shared/transport.ts';

/**
 * One autocannon client that behaves as a measurement needs. autocannon 9 by itself reconnects at once and without end,
 * sends the old request again when a connection breaks, does not report that the server closed the connection, ignores
 * the errors of its parser (and then waits for the timeout), keeps the parser's half-read response for the next
 * connection, takes 1xx for the response, waits for the body of a 304 and of a HEAD, and turns bodies into text chunk by
 * chunk, which breaks characters in two. So its client's own steps are wrapped here: each request is sent once, and its
 * end is reported once.
 */
export interface AutocannonConnection extends TransportConnection {
  /** Is called from now on. */
  listener: ConnectionListener;
}

export interface ConnectionSettings {
  readonly timeoutS: number;
  /** That of all connections of the process. */
  readonly bodies: BodyMemory;
  readonly encode: (request: PreparedRequest) => EncodedRequest;
  /** That of the host, where it is known. */
  readonly address: string | undefined;
  readonly verifiesCertificates: boolean;
}

/** What is used of autocannon's lib/httpClient.js beside its documented methods. */
interface ClientInside {
  readonly opts: { hostname: string; servername?: string };
  timeout: number;
  destroyed: boolean;
  conn?: Duplex;
  readonly requestIterator: {
    currentRequest: { readonly requestBuffer: Buffer };
    nextRequest(): void;
    recordBody(request: unknown, status: number, body: unknown, rawHeaders: readonly string[] | undefined): void;
  };
  readonly pipelinedRequests: { addBody(chunk: Buffer): void; insertRequest(request: unknown): void };
  readonly parser: {
    readonly state: string;
    body_bytes: number | null;
    isChunked: boolean;
    execute(chunk: Buffer): unknown;
    finish(): unknown;
    reinitialize(type: 'RESPONSE'): void;
  };
  _connect(): void;
  _destroyConnection(): void;
  _doRequest(): void;
  destroy(): void;
  on(event: 'headers', listener: (headers: { statusCode: number; shouldKeepAlive?: boolean }) => void): void;
  on(event: 'connError', listener: (error: NodeJS.ErrnoException) => void): void;
}

/** The longest Node has: autocannon's own timer never fires, as it is late and warns when it was rescheduled. */
const NEVER_MS = 2 ** 31 - 1;

/** To be called in `setupClient`, before the client connects. */
export function adoptAutocannonClient(publicClient: Client, settings: ConnectionSettings): AutocannonConnection {
  const client = inside(publicClient);
  if (settings.address !== undefined && settings.address !== client.opts.hostname) {
    client.opts.servername = client.opts.hostname;
    client.opts.hostname = settings.address;
  }
  const connect = client._connect.bind(client);
  const doRequest = client._doRequest.bind(client);
  const execute = client.parser.execute.bind(client.parser);

  const destroyConnection = client._destroyConnection.bind(client);

  /** Until it is written. */
  let waiting: PreparedRequest | undefined;
  let isInFlight = false;
  let isHead = false;
  let deadlineMs = 0;
  const body = new ReceivedBody(settings.bodies);
  let isConnected = false;
  /** Something is being dealt with: what is asked to be sent meanwhile goes out at its end. */
  let isBusy = false;
  let mustReconnect = false;
  let failuresInARow = 0;
  let pause: NodeJS.Timeout | undefined;
  let timer: NodeJS.Timeout | undefined;
  let timerAtMs = 0;
  client.timeout = NEVER_MS;
  // It would build each request anew, from copies of objects and with an id, which takes a seventh of the time.
  client.requestIterator.nextRequest = () => {};

  function sendWaiting(): void {
    if (waiting === undefined || isInFlight || isBusy || pause !== undefined) return;
    if (mustReconnect || !isConnected) {
      client._connect();
      return;
    }
    const request = waiting;
    waiting = undefined;
    body.clear();
    client.requestIterator.currentRequest = { requestBuffer: inOneBuffer(settings.encode(request)) };
    isHead = request.method === 'HEAD';
    isInFlight = true;
    doRequest();
  }

  /** One timer for many requests: when it fires, it mostly finds a younger request, and waits for what that has left. */
  function checkDeadline(): void {
    timer = undefined;
    if (!isInFlight && waiting === undefined) return;
    const leftMs = deadlineMs - performance.now();
    if (leftMs > 0) {
      setTimer(leftMs);
      return;
    }
    mustReconnect = true;
    clearTimeout(pause);
    pause = undefined;
    waiting = undefined;
    isInFlight = true;
    end(failed('timeout', `no complete answer within ${settings.timeoutS} s${describeUnfinished(body.length)}`));
    sendWaiting();
  }

  function setTimer(inMs: number): void {
    clearTimeout(timer);
    timerAtMs = deadlineMs;
    timer = setTimeout(checkDeadline, Math.max(1, Math.ceil(inMs)));
  }

  function end(response: RawResponse): void {
    if (!isInFlight) return;
    isInFlight = false;
    if (response.kind === 'answered') failuresInARow = 0;
    else {
      body.clear();
      if (response.outcome !== 'timeout') failuresInARow += 1;
    }
    const wasBusy = isBusy;
    isBusy = true;
    connection.listener.onResponse(response, performance.now());
    isBusy = wasBusy;
  }

  /** autocannon itself connects anew after an error and when the server hung up. */
  client._connect = () => {
    if (client.destroyed || pause !== undefined) return;
    mustReconnect = false;
    if (isInFlight) {
      endWithBodyUpToHere();
      end(failed('reset', 'the server closed the connection before its answer was complete'));
    }
    if (client.conn !== undefined) {
      client._destroyConnection();
      isConnected = false;
      client.parser.reinitialize('RESPONSE');
    }
    if (waiting === undefined) return; // The next request connects.
    const pauseMs = reconnectPauseMs(failuresInARow);
    if (pauseMs === 0) {
      connectNow();
      return;
    }
    pause = setTimeout(() => {
      pause = undefined;
      if (!client.destroyed) connectNow();
    }, pauseMs);
  };

  function connectNow(): void {
    isConnected = true;
    try {
      connect();
      if (settings.verifiesCertificates) verifyCertificateOf(client.conn);
    } catch (error) {
      connection.listener.onDefect(error);
    }
  }

  /** autocannon itself accepts any. */
  function verifyCertificateOf(socket: Duplex | undefined): void {
    if (!(socket instanceof TLSSocket)) return;
    socket.once('secureConnect', () => {
      if (!socket.authorized) socket.destroy(new Error(`its certificate is refused: ${socket.authorizationError}`));
    });
  }

  /** A body without length or chunks ends where the connection does. */
  function endWithBodyUpToHere(): void {
    if (client.parser.state !== 'BODY_RAW') return;
    isBusy = true;
    client.parser.finish();
    isBusy = false;
  }

  /** One that was never needed has none. */
  client._destroyConnection = () => {
    if (client.conn !== undefined) destroyConnection();
  };

  client._doRequest = () => {
    if (!client.destroyed) sendWaiting();
  };

  client.pipelinedRequests.addBody = (chunk) => {
    body.add(chunk, 0, chunk.length);
    if (body.length > MOST_BODY_BYTES) throw new Error(`body size: more than ${MOST_BODY_BYTES} bytes`);
  };

  client.requestIterator.recordBody = (request, status, _text, rawHeaders = []) => {
    if (status < 200) {
      // An interim answer: the real one is still to come for this request.
      client.pipelinedRequests.insertRequest(request);
      return;
    }
    const bodyLost = body.isLost ? BODY_LOST : undefined;
    const { length } = body;
    const isSmall = length <= SMALL_BODY_BYTES;
    const pieces = body.take();
    const text = (encoding: string | undefined): string => {
      if (!isSmall) settings.bodies.noteRead();
      return bodyText(joined(pieces), encoding);
    };
    end(responseFromRawHeaders(status, rawHeaders, length, text, bodyLost));
  };

  client.on('headers', (headers) => {
    // RFC 9112, section 6.3: no body follows, whatever length is given. The parser would wait for it.
    if (isHead || headers.statusCode < 200 || headers.statusCode === 204 || headers.statusCode === 304) {
      client.parser.body_bytes = 0;
      client.parser.isChunked = false;
    }
    if (headers.shouldKeepAlive === false) mustReconnect = true;
  });

  client.on('connError', (error) => {
    // Whatever breaks before the first byte is written is a failure to connect.
    const failure = socketFailure(error, false);
    isConnected = false;
    if (!isInFlight) failuresInARow += 1;
    end(failure); // autocannon calls _connect right after this.
  });

  client.parser.execute = (chunk) => {
    // Bytes nobody asked for: the connection is of no more use.
    if (!isInFlight) {
      mustReconnect = true;
      return chunk.length;
    }
    isBusy = true;
    let result: unknown;
    try {
      result = execute(chunk);
    } catch (error) {
      // autocannon falls over a second answer to one request.
      result = error;
    }
    isBusy = false;
    if (result instanceof Error) {
      mustReconnect = true;
      end(failed('malformed', `the answer is not HTTP/1.1: ${result.message}`));
    }
    sendWaiting();
    return result;
  };

  const connection: AutocannonConnection = {
    listener: { onResponse() {}, onDefect() {} },
    send(request, nowMs, requestDeadlineMs) {
      waiting = request;
      deadlineMs = requestDeadlineMs;
      if (timer === undefined || timerAtMs > deadlineMs) setTimer(deadlineMs - nowMs);
      sendWaiting();
    },
    close() {
      clearTimeout(pause);
      clearTimeout(timer);
      waiting = undefined;
      isInFlight = false;
      client.destroy();
    },
  };
  return connection;
}

function failed(outcome: TransportFailure, message: string): RawResponse {
  return { kind: 'failed', outcome, message };
}

function inOneBuffer({ text, encoding, bytes }: EncodedRequest): Buffer {
  const head = Buffer.from(text, encoding);
  return bytes === undefined ? head : Buffer.concat([head, bytes]);
}

/** Fails at once, not with odd figures, when another autocannon has come. */
function inside(client: unknown): ClientInside {
  const candidate = client as Partial<ClientInside>;
  const isKnown =
    typeof candidate._connect === 'function' &&
    typeof candidate._destroyConnection === 'function' &&
    typeof candidate._doRequest === 'function' &&
    typeof candidate.requestIterator?.recordBody === 'function' &&
    typeof candidate.requestIterator.nextRequest === 'function' &&
    typeof candidate.pipelinedRequests?.addBody === 'function' &&
    typeof candidate.parser?.reinitialize === 'function';
  if (isKnown) return candidate as ClientInside;
  throw new TierbenchError(
    'AUTOCANNON_UNKNOWN',
    'The installed autocannon is built differently from version 9.0, for which this engine is made.',
    'Install the version tierbench names: npm install autocannon@9.0.0',
  );
}
