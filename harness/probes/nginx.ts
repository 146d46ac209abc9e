import { Agent } from 'node:http';
import { fetchText, type Probe, readingsOf, rememberCounters } from './probe.ts';

const TIMEOUT_S = 3;

/** An nginx by its stub status page (ngx_http_stub_status_module), without the connection that reads it. */
export function nginxProbe({ url, source }: { readonly url: string; readonly source: string }): Probe {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const counters = rememberCounters<'requests'>();
  return {
    name: 'nginx',
    async read() {
      const page = await fetchText('status page of nginx', url, agent, TIMEOUT_S).catch((error) => {
        counters.forget();
        throw error;
      });
      const { active, requests, reading, writing, waiting } = parseStatus(page);
      const since = counters.next({ requests });
      return readingsOf(source, {
        connections: Math.max(0, active - 1),
        'connections-reading': reading,
        'connections-writing': Math.max(0, writing - 1),
        'connections-waiting': waiting,
        // One of them is our own.
        requests: since && Math.max(0, since.by.requests - 1) / since.elapsedS,
      });
    },
    async [Symbol.asyncDispose]() {
      agent.destroy();
    },
  };
}

function parseStatus(page: string) {
  const [active, , , requests, reading, writing, waiting] = page.match(/\d+/g)?.map(Number) ?? [];
  if (!page.startsWith('Active connections') || active === undefined || requests === undefined) {
    throw new Error('the page is no stub status');
  }
  if (reading === undefined || writing === undefined || waiting === undefined) {
    throw new Error('the stub status is incomplete');
  }
  return { active, requests, reading, writing, waiting };
}
