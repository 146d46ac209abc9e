import type { TrialPlan } from '../../core/trial.ts';
import type { RawResponse } from '../../http-client/message.ts';
import type { Share } from './arrivals.ts';
import type { PreparedRequest } from './prepare-request.ts';

/** Sends requests to the system and receives the responses: all that engines which run in Node do not share. */
export interface Transport {
  /** A connection that is made when it is first needed. */
  connect(listener: ConnectionListener): TransportConnection;
  /** After all its connections have been closed. */
  close?(): Promise<void>;
}

/** None of its functions throws. */
export interface ConnectionListener {
  /** Called once for each request that was sent. The time is that of `performance.now()`. */
  onResponse(response: RawResponse, nowMs: number): void;
  /** An exception in the transport itself. */
  onDefect(error: unknown): void;
}

export interface TransportConnection {
  /** One request at a time; each is sent at most once. Times are those of `performance.now()`. */
  send(request: PreparedRequest, nowMs: number, deadlineMs: number): void;
  /** What is in flight gets no response any more. */
  close(): void;
}

export interface TransportSettings {
  /** Of the whole trial. */
  readonly mostConnections: number;
  /** What this process drives of it. */
  readonly share: Share;
}

interface TransportModule {
  /** Throws INVALID_BASE_URL. */
  createTransport(plan: TrialPlan, settings: TransportSettings): Transport;
}

/** A transport by the URL of its module, so that a generator process loads the one of its trial and no other. */
export async function loadTransport(url: string, plan: TrialPlan, settings: TransportSettings): Promise<Transport> {
  const { createTransport } = (await import(url)) as TransportModule;
  return createTransport(plan, settings);
}

/**
 * A transport with a connection of each virtual user for each base URL it sends to; the named ones are made when they are
 * first needed.
 */
export function transportTo(targets: ReadonlyMap<string | undefined, Transport>): Transport {
  function targetOf(base: string | undefined): Transport {
    const target = targets.get(base);
    if (target === undefined) throw new RangeError(`there is no base URL '${base}'`);
    return target;
  }
  return {
    connect(listener) {
      const main = targetOf(undefined).connect(listener);
      const named = new Map<string, TransportConnection>();
      return {
        send(request, nowMs, deadlineMs) {
          const { base } = request;
          let connection = base === undefined ? main : named.get(base);
          if (connection === undefined) {
            connection = targetOf(base).connect(listener);
            named.set(String(base), connection);
          }
          connection.send(request, nowMs, deadlineMs);
        },
        close() {
          for (const connection of [main, ...named.values()]) connection.close();
        },
      };
    },
    async close() {
      await Promise.all([...targets.values()].map((target) => target.close?.()));
    },
  };
}
