import { readFileSync } from 'node:fs';
import type { TrialPlan } from '../../core/trial.ts';
import { BodyMemory } from '../../http-client/body-memory.ts';
import { Connection, endpointOf } from '../../http-client/connection.ts';
import { createRequestEncoder } from '../../http-client/message.ts';
import { checkBaseUrls } from '../shared/check-request.ts';
import { type Transport, type TransportSettings, transportTo } from '../shared/transport.ts';

const READ_BUFFER_BYTES = 64 * 1024;

/** Our own HTTP client. Throws INVALID_BASE_URL. */
export function createTransport(plan: TrialPlan, { share }: TransportSettings): Transport {
  const bodies = new BodyMemory(share.of);
  const readBuffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);
  const pausesAfterFailures = plan.load.model === 'closed';
  const { reach } = plan;
  const authorities = reach?.authoritiesFile == null ? undefined : readFileSync(reach.authoritiesFile, 'utf8');
  const trust = reach?.verifiesCertificates === true ? { authorities } : undefined;
  const targets = [...checkBaseUrls(plan)].map(([name, url]): [string | undefined, Transport] => {
    const encode = createRequestEncoder(url);
    const address = reach?.addresses[url.hostname.replace(/^\[|\]$/g, '')];
    const settings = {
      endpoint: endpointOf(url, address, trust),
      timeoutS: plan.timeoutS,
      pausesAfterFailures,
      readBuffer,
      bodies,
    };
    return [
      name,
      {
        connect({ onResponse }) {
          const connection = new Connection(settings, onResponse);
          return {
            send: (request, nowMs, deadlineMs) => connection.send(encode(request), request.method, nowMs, deadlineMs),
            close: () => connection.close(),
          };
        },
      },
    ];
  });
  return transportTo(new Map(targets));
}
