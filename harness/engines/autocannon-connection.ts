import type { Client } from 'autocannon';
import { TierbenchError } from '../core/errors.ts';
import type { PreparedRequest } from './prepare-request.ts';
import { type Answer, answerFromRawHeaders } from './scenario-response.ts';

/**
 * One autocannon client with the manners a measurement needs. autocannon 9 by itself reconnects at once and without end,
 * sends the old request again when a connection breaks, tells nothing when the server hangs up, ignores what its parser
 * complains of (and then waits for the timeout), keeps the parser's half-read answer for the next connection, takes 1xx
 * for the answer, waits for the body of a 304, and turns bodies into text chunk by chunk, which breaks letters in two. So its client's own steps are
 * wrapped here: what is asked to be sent is sent once, and its end is told once.
 */
export interface AutocannonConnection {
  /** Sends now, or once connected. Nothing else may be in flight or waiting. */
  send(request: PreparedRequest): void;
  /** When the request in flight was sent, by `performance.now()`; undefined when there is none. */
  inFlightSinceMs(): number | undefined;
  close(): void;
}

export interface AutocannonEvents {
  onAnswer(answer: Answer, latencyS: number): void;
  /** A defect: not an answer, but an exception on the way. */
  onDefect(error: unknown): void;
}

/** What is used of autocannon's lib/httpClient.js beside its documented methods. */
interface ClientInside {
  timeout: number;
  destroyed: boolean;
  conn?: object;
  readonly requestIterator: {
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
  setRequests(requests: readonly object[]): void;
  on(event: 'headers', listener: (headers: { statusCode: number; shouldKeepAlive?: boolean }) => void): void;
  on(event: 'connError', listener: (error: NodeJS.ErrnoException) => void): void;
}

/** The longest Node has: autocannon's own timer never fires, as it is late and grumbles when it was rescheduled. */
const NEVER_MS = 2 ** 31 - 1;
const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 200;

/** To be called in `setupClient`, before the client connects. */
export function adoptAutocannonClient(
  publicClient: Client,
  settings: { readonly timeoutS: number; readonly pathPrefix: string },
  events: AutocannonEvents,
): AutocannonConnection {
  const client = inside(publicClient);
  const connect = client._connect.bind(client);
  const doRequest = client._doRequest.bind(client);
  const execute = client.parser.execute.bind(client.parser);

  let waiting: PreparedRequest | undefined;
  let inFlight: { readonly startedMs: number } | undefined;
  let body: Buffer[] = [];
  let isConnected = false;
  /** Something is being dealt with: what is asked to be sent meanwhile goes out at its end. */
  let isBusy = false;
  let mustReconnect = false;
  let failuresInARow = 0;
  let pause: NodeJS.Timeout | undefined;
  let timer: NodeJS.Timeout | undefined;
  const timeoutMs = settings.timeoutS * 1000;
  client.timeout = NEVER_MS;

  function sendWaiting(): void {
    if (waiting === undefined || inFlight !== undefined || isBusy || pause !== undefined) return;
    if (mustReconnect || !isConnected) {
      client._connect();
      return;
    }
    const request = waiting;
    waiting = undefined;
    body = [];
    client.setRequests([toAutocannon(request, settings.pathPrefix)]);
    inFlight = { startedMs: performance.now() };
    timer ??= setTimeout(lookAtTime, timeoutMs);
    doRequest();
  }

  /** One timer for many requests: when it fires, it mostly finds a younger request, and waits for what that has left. */
  function lookAtTime(): void {
    timer = undefined;
    if (inFlight === undefined) return;
    const leftMs = inFlight.startedMs + timeoutMs - performance.now();
    if (leftMs > 0) {
      timer = setTimeout(lookAtTime, Math.ceil(leftMs));
      return;
    }
    mustReconnect = true;
    end(failed('timeout', `no complete answer within ${settings.timeoutS} s`));
    sendWaiting();
  }

  function end(answer: Answer): void {
    if (inFlight === undefined) return;
    const latencyS = (performance.now() - inFlight.startedMs) / 1000;
    inFlight = undefined;
    if (answer.kind === 'answered') failuresInARow = 0;
    else if (answer.outcome !== 'timeout') failuresInARow += 1;
    const wasBusy = isBusy;
    isBusy = true;
    try {
      events.onAnswer(answer, latencyS);
    } catch (error) {
      events.onDefect(error);
    }
    isBusy = wasBusy;
  }

  /** autocannon itself connects anew after an error and when the server hung up. */
  client._connect = () => {
    if (client.destroyed || pause !== undefined) return;
    mustReconnect = false;
    if (inFlight !== undefined) {
      endWithBodyUpToHere();
      end(failed('reset', 'the server closed the connection before its answer was complete'));
    }
    if (client.conn !== undefined) {
      client._destroyConnection();
      isConnected = false;
      client.parser.reinitialize('RESPONSE');
      if (waiting === undefined) return; // The next request connects.
    }
    // The first failure is no reason to wait: a server may well hang up on an idle connection.
    const pauseMs =
      failuresInARow < 2 ? 0 : Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(failuresInARow - 2, 16));
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
    } catch (error) {
      events.onDefect(error);
    }
  }

  /** A body without length or chunks ends where the connection does. */
  function endWithBodyUpToHere(): void {
    if (client.parser.state !== 'BODY_RAW') return;
    isBusy = true;
    client.parser.finish();
    isBusy = false;
  }

  client._doRequest = () => {
    if (!client.destroyed) sendWaiting();
  };

  client.pipelinedRequests.addBody = (chunk) => {
    body.push(chunk);
  };

  client.requestIterator.recordBody = (request, status, _text, rawHeaders = []) => {
    if (status < 200) {
      // An interim answer: the real one is still to come for this request.
      client.pipelinedRequests.insertRequest(request);
      return;
    }
    const chunks = body;
    end(answerFromRawHeaders(status, rawHeaders, () => Buffer.concat(chunks).toString('utf8')));
  };

  client.on('headers', (headers) => {
    // RFC 9112, section 6.3: no body follows, whatever length is told. The parser would wait for it.
    if (headers.statusCode < 200 || headers.statusCode === 204 || headers.statusCode === 304) {
      client.parser.body_bytes = 0;
      client.parser.isChunked = false;
    }
    if (headers.shouldKeepAlive === false) mustReconnect = true;
  });

  client.on('connError', (error) => {
    const kind = error.code === 'ECONNRESET' || error.code === 'EPIPE' ? 'reset' : 'refused';
    isConnected = false;
    if (inFlight === undefined) failuresInARow += 1;
    end(failed(kind, error.message)); // autocannon calls _connect right after this.
  });

  client.parser.execute = (chunk) => {
    // Bytes nobody asked for: the connection is of no more use.
    if (inFlight === undefined) {
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

  return {
    send(request) {
      waiting = request;
      sendWaiting();
    },
    inFlightSinceMs: () => inFlight?.startedMs,
    close() {
      clearTimeout(pause);
      clearTimeout(timer);
      waiting = undefined;
      inFlight = undefined;
      client.destroy();
    },
  };
}

function failed(outcome: 'refused' | 'reset' | 'timeout' | 'malformed', message: string): Answer {
  return { kind: 'failed', outcome, message };
}

function toAutocannon(request: PreparedRequest, pathPrefix: string): object {
  const headers: Record<string, string> = { ...request.headers };
  // RFC 9110, section 8.6: says that there is no content where content would be expected. autocannon leaves it out.
  if (request.body === undefined && request.method !== 'GET' && request.method !== 'DELETE') {
    headers['content-length'] = '0';
  }
  return { method: request.method, path: pathPrefix + request.path, headers, body: request.body ?? '' };
}

/** Fails at once, not with odd figures, when another autocannon has come. */
function inside(client: unknown): ClientInside {
  const candidate = client as Partial<ClientInside>;
  const isKnown =
    typeof candidate._connect === 'function' &&
    typeof candidate._destroyConnection === 'function' &&
    typeof candidate._doRequest === 'function' &&
    typeof candidate.requestIterator?.recordBody === 'function' &&
    typeof candidate.pipelinedRequests?.addBody === 'function' &&
    typeof candidate.parser?.reinitialize === 'function';
  if (isKnown) return candidate as ClientInside;
  throw new TierbenchError(
    'AUTOCANNON_UNKNOWN',
    'The installed autocannon is built differently from version 9.0, for which this engine is made.',
    'Install the version tierbench names: npm install autocannon@9.0.0',
  );
}
