import type { FastifyInstance } from 'fastify';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

export interface Metrics {
  readonly registry: Registry;
  readonly requestDuration: Histogram<'method' | 'route' | 'status_code'>;
  readonly cacheReads: Counter<'route' | 'result'>;
  readonly databaseReads: Counter<'from'>;
  readonly rateLimited: Counter<'limit'>;
  readonly hashesWaiting: Gauge;
  readonly hashesInUse: Gauge;
  readonly hashWait: Histogram;
  readonly hashesRefused: Counter;
}

const durationBucketsS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2.5, 5, 10];

/** The route of requests no route matched: their paths are unbounded, and so would be the label. */
const unmatchedRoute = 'unmatched';

export function createMetrics(): Metrics {
  const registers = [new Registry()];
  const registry = registers[0] as Registry;
  // Event-loop lag, CPU, memory and garbage collection of this process, by their usual nodejs_ and process_ names.
  collectDefaultMetrics({ register: registry });
  return {
    registry,
    requestDuration: new Histogram({
      name: 'http_request_duration_seconds',
      help: 'Time from a request to the end of its answer',
      labelNames: ['method', 'route', 'status_code'],
      buckets: durationBucketsS,
      registers,
    }),
    cacheReads: new Counter({
      name: 'cache_reads_total',
      help: 'Reads through the cache by result: hit, miss, or error when Redis did not answer',
      labelNames: ['route', 'result'],
      registers,
    }),
    databaseReads: new Counter({
      name: 'db_reads_total',
      help: 'Reads that may be old by what answered: reader, or why the writer did',
      labelNames: ['from'],
      registers,
    }),
    rateLimited: new Counter({
      name: 'rate_limited_requests_total',
      help: 'Requests answered 429, by the limit they were over',
      labelNames: ['limit'],
      registers,
    }),
    hashesWaiting: new Gauge({
      name: 'password_hash_queue_length',
      help: 'Password hashes waiting for their turn',
      registers,
    }),
    hashesInUse: new Gauge({
      name: 'password_hash_in_use',
      help: 'Password hashes being made',
      registers,
    }),
    hashWait: new Histogram({
      name: 'password_hash_wait_seconds',
      help: 'Time a password hash waited for its turn',
      buckets: durationBucketsS,
      registers,
    }),
    hashesRefused: new Counter({
      name: 'password_hash_refused_total',
      help: 'Password hashes refused because the queue was full',
      registers,
    }),
  };
}

/** Times every request from its arrival to the last byte of the answer. */
export function timeRequests(app: FastifyInstance, metrics: Metrics): void {
  app.addHook('onResponse', (request, reply, done) => {
    metrics.requestDuration.observe(
      { method: request.method, route: request.routeOptions.url ?? unmatchedRoute, status_code: reply.statusCode },
      reply.elapsedTime / 1000,
    );
    done();
  });
}
