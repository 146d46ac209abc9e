import type { ServiceType } from '../../harness/services/service-type.ts';

/** A tiny HTTP server that answers every request with the path it was asked for. */
export const echo: ServiceType = {
  kind: 'echo',
  roles: () => ({}),
  offers: () => 'http',
  settings: { reserved: [], defaults: {}, problem: () => undefined },
  ports: () => ({ main: 7007 }),
  spec(_service, at) {
    const file = `${at.folder}/echo.mjs`;
    return {
      image: { name: 'node:24-bookworm-slim' },
      command: { program: { from: 'path', name: 'node' }, arguments: [file, at.host, String(at.port('main'))] },
      environment: {},
      secretEnvironment: {},
      files: [{ path: file, content: server, secret: false }],
      prepare: [],
      steps: [],
      health: { protocol: 'http', port: 'main', path: '/' },
      stop: { signal: 'SIGKILL', graceS: 0 },
      secrets: [],
      lacks: [],
      notes: [],
    };
  },
  probes: [],
  resources: [],
  shownSettings: [],
};

const server = `import { createServer } from 'node:http';
const [host, port] = process.argv.slice(2);
createServer(({ url }, response) => response.end('echo of ' + url)).listen(Number(port), host);
`;
