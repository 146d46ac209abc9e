import { readFileSync } from 'node:fs';
import { getCACertificates } from 'node:tls';
import autocannon from 'autocannon';
import type { TrialPlan } from '../../core/trial.ts';
import { BodyMemory } from '../../http-client/body-memory.ts';
import { createRequestEncoder } from '../../http-client/message.ts';
import { countIn } from '../shared/arrivals.ts';
import { checkBaseUrls } from '../shared/check-request.ts';
import { type Transport, type TransportSettings, transportTo } from '../shared/transport.ts';
import { type AutocannonConnection, adoptAutocannonClient } from './autocannon-connection.ts';

/** How often autocannon looks whether it was stopped. */
const AUTOCANNON_TICK_MS = 100;
/** The longest its timer takes; it is stopped by us. */
const AUTOCANNON_DURATION_S = 2_000_000;

/** Each virtual user has a client of autocannon for each base URL it sends to. Throws INVALID_BASE_URL. */
export function createTransport(plan: TrialPlan, { mostConnections, share }: TransportSettings): Transport {
  const users = countIn(share, mostConnections);
  const bodies = new BodyMemory(share.of);
  const targets = [...checkBaseUrls(plan)].map(
    ([name, url]) => [name, autocannonTarget(url, users, plan, bodies)] as const,
  );
  return transportTo(new Map(targets));
}

function autocannonTarget(url: URL, users: number, { timeoutS, reach }: TrialPlan, bodies: BodyMemory): Transport {
  const settings = {
    timeoutS,
    bodies,
    encode: createRequestEncoder(url),
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
