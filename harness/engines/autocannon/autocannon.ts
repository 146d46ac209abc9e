import { readFileSync } from 'node:fs';
import { getCACertificates } from 'node:tls';
import autocannon from 'autocannon';
import { TierbenchError } from '../../core/errors.ts';
import { describeLoad } from '../../core/load.ts';
import type { TrialPlan } from '../../core/trial.ts';
import type { LoadEngine } from '../engine.ts';
import { WHOLE } from '../shared/arrivals.ts';
import { checkBaseUrls, checkLoad } from '../shared/check-request.ts';
import { driveTrial } from '../shared/drive-trial.ts';
import { type Transport, transportTo } from '../shared/transport.ts';
import { type AutocannonConnection, adoptAutocannonClient } from './autocannon-connection.ts';

/**
 * Closed load by autocannon: one connection for each virtual user. autocannon sends and parses; what to send, when, and
 * what it took is ours. It is never given a rate, because then it reports about half of the real latency.
 */
export const autocannonEngine: LoadEngine = {
  name: 'autocannon',
  supports: new Set(['closed']),
  arrivals: new Set(),
  async run(request, signal, onInterval = () => {}) {
    const { plan } = request;
    if (plan.load.model !== 'closed') {
      throw new TierbenchError(
        'LOAD_MODEL_NOT_SUPPORTED',
        `autocannon cannot offer ${describeLoad(plan.load)}: with a rate it reports wrong latencies.`,
        'Ask for a concurrency, or choose an engine that offers arrival rates.',
        { remedy: 'other-engine' },
      );
    }
    checkLoad(plan.load, request.users.length);
    const { concurrency } = plan.load;
    const settings = {
      engine: 'autocannon',
      transport: autocannonTransport(plan, concurrency),
      mostConnections: concurrency,
      share: WHOLE,
      opening: async () => performance.now(),
    };
    return await driveTrial(request, settings, signal, onInterval);
  },
};

/** How often autocannon looks whether it was stopped. */
const AUTOCANNON_TICK_MS = 100;
/** The longest its timer takes; it is stopped by us. */
const AUTOCANNON_DURATION_S = 2_000_000;

/** Each virtual user has a client of autocannon for each base URL it sends to. Throws INVALID_BASE_URL. */
function autocannonTransport(plan: TrialPlan, users: number): Transport {
  const targets = [...checkBaseUrls(plan)].map(([name, url]) => [name, autocannonTarget(url, users, plan)] as const);
  return transportTo(new Map(targets));
}

function autocannonTarget(url: URL, users: number, { timeoutS, reach }: TrialPlan): Transport {
  const settings = {
    timeoutS,
    pathPrefix: url.pathname.replace(/\/+$/, ''),
    address: reach?.addresses[url.hostname.replace(/^\[|\]$/g, '')],
    verifiesCertificates: reach?.verifiesCertificates === true,
  };
  const authorities = reach?.authoritiesFile == null ? undefined : readFileSync(reach.authoritiesFile, 'utf8');
  const idle: AutocannonConnection[] = [];
  const ended = Promise.withResolvers<void>();
  let instance: autocannon.Instance | undefined;

  function start(): autocannon.Instance {
    return autocannon(
      {
        url: url.href,
        connections: users,
        duration: AUTOCANNON_DURATION_S,
        sampleInt: AUTOCANNON_TICK_MS,
        ...(authorities !== undefined && { tlsOptions: { ca: [...getCACertificates('default'), authorities] } }),
        setupClient: (client) => void idle.push(adoptAutocannonClient(client, settings)),
      },
      (error) => {
        if (error === null) ended.resolve();
        else ended.reject(error);
      },
    );
  }

  return {
    connect(listener) {
      instance ??= start();
      const connection = idle.shift();
      if (connection === undefined) throw new Error('autocannon made fewer clients than virtual users');
      connection.listener = listener;
      return connection;
    },
    async close() {
      if (instance === undefined) return;
      instance.stop();
      await ended.promise;
    },
  };
}
