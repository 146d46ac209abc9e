import { type Answer, get } from '../harness/providers/health.ts';
import { referenceEmail } from '../harness/services/reference-app.ts';

/** A user of the reference API who is signed in. */
export interface TaskUser {
  /** Resolves with the id of the new task. */
  create(title: string): Promise<number>;
  /** Titles of the newest tasks. */
  titles(limit?: number): Promise<readonly string[]>;
  /** The status of GET `path` with the user's token, or without. */
  status(path: string, options?: { readonly signedIn: boolean }): Promise<number>;
}

const TIMEOUT_S = 5;

/** A client shows the position of its last write with each request, and so reads what it wrote from any database. */
const positionHeader = 'x-write-position';

async function call(
  url: string,
  request: {
    readonly method?: string;
    readonly body?: object;
    readonly token?: string;
    readonly position?: string | null;
  },
): Promise<{ readonly status: number; readonly json: Record<string, unknown>; readonly position: string | null }> {
  const response = await fetch(url, {
    method: request.method ?? 'GET',
    headers: {
      ...(request.body && { 'content-type': 'application/json' }),
      ...(request.token !== undefined && { authorization: `Bearer ${request.token}` }),
      ...(request.position && { [positionHeader]: request.position }),
    },
    ...(request.body && { body: JSON.stringify(request.body) }),
    signal: AbortSignal.timeout(TIMEOUT_S * 1000),
  });
  const text = await response.text();
  return {
    status: response.status,
    json: text.startsWith('{') ? JSON.parse(text) : {},
    position: response.headers.get(positionHeader),
  };
}

/** Signs the seeded user of this number in. Rejects with what went wrong when any call is not answered as it should be. */
export async function signIn(baseUrl: string, user: number, password: string): Promise<TaskUser> {
  const email = referenceEmail(user);
  const login = await call(`${baseUrl}/api/auth/login`, { method: 'POST', body: { email, password } });
  const token = String(login.json.accessToken);
  if (login.status !== 200) throw new Error(`login answered ${login.status} ${JSON.stringify(login.json)}`);
  let position = login.position;
  return {
    async create(title) {
      const answer = await call(`${baseUrl}/api/tasks`, { method: 'POST', body: { title }, token, position });
      const { status, json } = answer;
      position = answer.position ?? position;
      if (status !== 201) throw new Error(`creating a task answered ${status} ${JSON.stringify(json)}`);
      return (json.task as { id: number }).id;
    },
    async titles(limit = 10) {
      const { status, json } = await call(`${baseUrl}/api/tasks?page=1&limit=${limit}`, { token, position });
      if (status !== 200) throw new Error(`listing tasks answered ${status} ${JSON.stringify(json)}`);
      return (json.tasks as { title: string }[]).map(({ title }) => title);
    },
    async status(path, { signedIn } = { signedIn: true }) {
      return (await call(`${baseUrl}${path}`, signedIn ? { token } : {})).status;
    },
  };
}

/** `right`, or what went wrong: a whole visit, several times on end, since one instance of several may still be down. */
export async function visit(baseUrl: string, user: number, password: string): Promise<string> {
  try {
    for (let round = 1; round <= 3; round += 1) {
      const signedIn = await signIn(baseUrl, user, password);
      const title = `visit ${crypto.randomUUID()}`;
      await signedIn.create(title);
      if (!(await signedIn.titles()).includes(title)) return 'a task that was just made is not in the list';
    }
    return 'right';
  } catch (error) {
    const { message, cause } = error as Error;
    return `${message}${cause === undefined ? '' : `: ${cause}`}`;
  }
}

/** Answered requests of one route as an instance of the API counts them. */
export async function requestsCounted(instanceUrl: string, route: string): Promise<number> {
  const response = await fetch(new URL('/metrics', instanceUrl), { signal: AbortSignal.timeout(TIMEOUT_S * 1000) });
  return (await response.text())
    .split('\n')
    .filter((line) => line.startsWith('http_request_duration_seconds_count{') && line.includes(`route="${route}"`))
    .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

export async function answerOf(url: string): Promise<Answer> {
  return get(new URL(url), AbortSignal.timeout(TIMEOUT_S * 1000));
}
