import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FakeRequest {
  readonly method: string;
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string;
}

export interface FakeAnswer {
  readonly status: number;
  readonly setCookies: readonly string[];
  readonly body: string;
}

interface Task {
  id: number;
  title: string;
  description: string;
  status: string;
  priority: string;
}

/**
 * The reference API's calls in memory, for tests of what calls them. Each user's password is `password of <email>`.
 * `spoil` may change an answer's JSON before it is sent, as a broken server would.
 */
export function fakeTaskApi(spoil: (request: FakeRequest, json: object) => object = (_request, json) => json) {
  const tasks = new Map<string, Task[]>();
  const accessTokens = new Map<string, string>();
  const refreshTokens = new Map<string, string>();
  const requests: string[] = [];
  let lastId = 0;

  function signIn(email: string): [number, object, string[]] {
    lastId += 1;
    const [accessToken, refreshToken] = [`access-${lastId}`, `refresh-${lastId}`];
    accessTokens.set(accessToken, email);
    refreshTokens.set(refreshToken, email);
    const cookies = [`accessToken=${accessToken}; Path=/; HttpOnly`, `refreshToken=${refreshToken}; Path=/api/auth`];
    return [200, { success: true, accessToken, expiresInS: 900, user: { id: 1, email } }, cookies];
  }

  function route(request: FakeRequest): [number, object | null, string[]?] {
    const url = new URL(request.path, 'http://fake');
    const body = request.body === '' ? {} : JSON.parse(request.body);
    const refreshToken = /refreshToken=([^;]+)/.exec(String(request.headers.cookie ?? ''))?.[1] ?? '';
    const call = `${request.method} ${url.pathname}`;
    if (call === 'POST /api/auth/login') {
      return body.password === `password of ${body.email}` ? signIn(body.email) : [401, { success: false }];
    }
    if (call === 'POST /api/auth/refresh') {
      const email = refreshTokens.get(refreshToken);
      refreshTokens.delete(refreshToken);
      return email === undefined ? [401, { success: false }] : signIn(email);
    }
    const accessToken = String(request.headers.authorization ?? '').replace('Bearer ', '');
    const email = accessTokens.get(accessToken);
    if (email === undefined) return [401, { success: false }];
    if (call === 'POST /api/auth/logout') {
      accessTokens.delete(accessToken);
      refreshTokens.delete(refreshToken);
      return [200, { success: true, message: '' }];
    }
    if (call === 'GET /api/auth/me') return [200, { success: true, user: { email } }];

    const own = tasks.get(email) ?? seedTasks(email);
    if (call === 'GET /api/tasks/stats') return [200, { success: true, stats: { total: own.length } }];
    if (call === 'POST /api/tasks') {
      lastId += 1;
      own.unshift({ id: lastId, ...body });
      return [201, { success: true, task: own[0] }];
    }
    if (call === 'GET /api/tasks') {
      const [page, limit] = [Number(url.searchParams.get('page')), Number(url.searchParams.get('limit'))];
      const status = url.searchParams.get('status');
      const found = own.filter((task) => status === null || task.status === status);
      const totalPages = Math.ceil(found.length / limit);
      const pagination = { currentPage: page, totalPages, totalTasks: found.length };
      return [200, { success: true, tasks: found.slice((page - 1) * limit, page * limit), pagination }];
    }
    const task = own.find((one) => `/api/tasks/${one.id}` === url.pathname);
    if (task === undefined) return [404, { success: false }];
    if (request.method === 'PUT' || request.method === 'PATCH') Object.assign(task, body);
    if (request.method !== 'DELETE') return [200, { success: true, task }];
    own.splice(own.indexOf(task), 1);
    return [204, null];
  }

  function seedTasks(email: string): Task[] {
    const seeded = Array.from({ length: 35 }, (): Task => {
      lastId += 1;
      return { id: lastId, title: `Task ${lastId}`, description: '', status: 'pending', priority: 'low' };
    });
    tasks.set(email, seeded);
    return seeded;
  }

  return {
    /** What was called, without ids and queries: `GET /api/tasks/:id`. */
    requests,
    answer(request: FakeRequest): FakeAnswer {
      const path = request.path.replace(/\?.*/, '').replace(/\/\d+$/, '/:id');
      requests.push(`${request.method} ${path}`);
      const [status, json, setCookies = []] = route(request);
      return { status, setCookies, body: json === null ? '' : JSON.stringify(spoil(request, json)) };
    },
    /** As if 15 minutes had passed. */
    expireAccessTokens: () => accessTokens.clear(),
  };
}

/** The same behind a real server on 127.0.0.1. */
export async function startFakeTaskApi(): Promise<
  AsyncDisposable & { readonly baseUrl: string; readonly requests: readonly string[] }
> {
  const api = fakeTaskApi();
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { method = '', url: path = '', headers } = request;
    const answer = api.answer({ method, path, headers, body: Buffer.concat(chunks).toString('utf8') });
    response.writeHead(answer.status, { 'content-type': 'application/json', 'set-cookie': [...answer.setCookies] });
    response.end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: api.requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
