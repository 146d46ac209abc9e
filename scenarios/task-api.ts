/** The calls of the reference API, each with what its answer must hold. */
import { type Behaviour, type Json, type Request, type Response, send, type User, valueAt } from './kit.ts';

export interface SignedIn {
  accessToken: string;
  refreshToken: string;
  /** The access token was accepted before, so a 401 means that it has expired. */
  wasAccepted: boolean;
}

export type TaskStatus = 'pending' | 'in-progress' | 'completed';

export interface TaskFields {
  readonly title: string;
  readonly description: string;
  readonly status: TaskStatus;
  readonly priority: 'low' | 'medium' | 'high';
}

export function signedOut(): SignedIn {
  return { accessToken: '', refreshToken: '', wasAccepted: false };
}

export function* logIn(user: User): Behaviour<SignedIn> {
  const answer = yield* send({
    name: 'log in',
    method: 'POST',
    path: '/api/auth/login',
    body: { json: { email: user.email ?? null, password: user.password ?? null } },
    expectStatus: 200,
    check: (response) => holdsToken(response) && valueAt(response.json(), 'user', 'email') === user.email,
  });
  return answer.ok ? signedInBy(answer) : signedOut();
}

/** The setup of a user: one function for all scenarios, so that one goes on with the sessions of another. */
export function* signIn({ user }: { readonly user: User }): Behaviour<SignedIn> {
  return yield* logIn(user);
}

export function* refresh(session: SignedIn): Behaviour {
  const answer = yield* send({
    name: 'refresh',
    method: 'POST',
    path: '/api/auth/refresh',
    cookies: { refreshToken: session.refreshToken },
    expectStatus: 200,
    check: (response) =>
      holdsToken(response) &&
      response.cookies.refreshToken !== undefined &&
      response.cookies.refreshToken !== session.refreshToken,
  });
  Object.assign(session, answer.ok ? signedInBy(answer) : signedOut());
}

export function* logOut(session: SignedIn): Behaviour {
  yield* send({
    name: 'log out',
    method: 'POST',
    path: '/api/auth/logout',
    headers: { authorization: `Bearer ${session.accessToken}` },
    cookies: { refreshToken: session.refreshToken },
    expectStatus: 200,
    check: succeeded,
  });
  Object.assign(session, signedOut());
}

export interface Call extends Omit<Request, 'headers' | 'cookies' | 'expectStatus'> {
  readonly expectStatus: number | readonly number[];
}

/**
 * A call as the signed-in user. An access token lives 15 minutes, so a long trial outlives it: a token that was accepted
 * before may be answered with 401, and then the user signs in again and repeats the call. A fresh one may not.
 */
export function* call(user: User, session: SignedIn, request: Call): Behaviour<Response> {
  if (session.accessToken === '') Object.assign(session, yield* logIn(user));
  const answer = yield* send(
    session.wasAccepted ? orExpired(withToken(request, session)) : withToken(request, session),
  );
  if (answer.status !== 401) {
    session.wasAccepted ||= answer.ok;
    return answer;
  }
  Object.assign(session, yield* logIn(user));
  return yield* send(withToken(request, session));
}

export function me(user: User): Call {
  return {
    name: 'me',
    method: 'GET',
    path: '/api/auth/me',
    expectStatus: 200,
    check: (response) => valueAt(response.json(), 'user', 'email') === user.email,
  };
}

export function createTask(fields: TaskFields): Call {
  return {
    name: 'create task',
    method: 'POST',
    path: '/api/tasks',
    body: { json: { ...fields } },
    expectStatus: 201,
    check: (response) => taskIdOf(response) !== undefined && holdsTask(response, fields),
  };
}

export function readTask(id: number, fields?: TaskFields): Call {
  return {
    name: 'read task',
    method: 'GET',
    path: `/api/tasks/${id}`,
    expectStatus: 200,
    check: (response) => taskIdOf(response) === id && (fields === undefined || holdsTask(response, fields)),
  };
}

export function readDeletedTask(id: number): Call {
  return { name: 'read deleted task', method: 'GET', path: `/api/tasks/${id}`, expectStatus: 404 };
}

export function replaceTask(id: number, fields: TaskFields): Call {
  return {
    name: 'update task',
    method: 'PUT',
    path: `/api/tasks/${id}`,
    body: { json: { ...fields } },
    expectStatus: 200,
    check: (response) => taskIdOf(response) === id && holdsTask(response, fields),
  };
}

export function changeTaskStatus(id: number, status: TaskStatus): Call {
  return {
    name: 'change status',
    method: 'PATCH',
    path: `/api/tasks/${id}`,
    body: { json: { status } },
    expectStatus: 200,
    check: (response) => taskIdOf(response) === id && valueAt(response.json(), 'task', 'status') === status,
  };
}

export function deleteTask(id: number): Call {
  return { name: 'delete task', method: 'DELETE', path: `/api/tasks/${id}`, expectStatus: [200, 204] };
}

/** `filter` is a query: `status=pending&sort=-dueAt`. */
export function listTasks(page: number, filter?: string, name = 'list tasks'): Call {
  const limit = 10;
  return {
    name,
    method: 'GET',
    path: `/api/tasks?page=${page}&limit=${limit}${filter === undefined ? '' : `&${filter}`}`,
    expectStatus: 200,
    check(response) {
      const answer = response.json();
      const tasks = valueAt(answer, 'tasks');
      const totalTasks = valueAt(answer, 'pagination', 'totalTasks');
      if (!Array.isArray(tasks) || typeof totalTasks !== 'number') return false;
      return (
        succeeded(response) &&
        valueAt(answer, 'pagination', 'currentPage') === page &&
        valueAt(answer, 'pagination', 'totalPages') === Math.ceil(totalTasks / limit) &&
        tasks.length === Math.max(0, Math.min(limit, totalTasks - (page - 1) * limit))
      );
    },
  };
}

export function taskStats(): Call {
  return {
    name: 'stats',
    method: 'GET',
    path: '/api/tasks/stats',
    expectStatus: 200,
    check: (response) => typeof valueAt(response.json(), 'stats', 'total') === 'number',
  };
}

export function taskIdOf(response: Response): number | undefined {
  const id = valueAt(response.json(), 'task', 'id');
  return typeof id === 'number' ? id : undefined;
}

export function taskIdsOf(list: Response): number[] {
  const tasks = valueAt(list.json(), 'tasks');
  if (!Array.isArray(tasks)) return [];
  return tasks.map((task) => valueAt(task, 'id')).filter((id) => typeof id === 'number');
}

export function totalTasksOf(list: Response): number {
  const total = valueAt(list.json(), 'pagination', 'totalTasks');
  return typeof total === 'number' ? total : 0;
}

function withToken(request: Call, session: SignedIn): Request {
  return { ...request, headers: { authorization: `Bearer ${session.accessToken}` } };
}

function orExpired(request: Request): Request {
  const { check = () => true, expectStatus = [] } = request;
  return {
    ...request,
    expectStatus: [expectStatus, 401].flat(),
    check: (response) => response.status === 401 || check(response),
  };
}

function holdsTask(response: Response, fields: TaskFields): boolean {
  const expected: Readonly<Record<string, Json>> = { ...fields };
  const task = valueAt(response.json(), 'task');
  return succeeded(response) && Object.keys(expected).every((name) => valueAt(task, name) === expected[name]);
}

function holdsToken(response: Response): boolean {
  const token = valueAt(response.json(), 'accessToken');
  return succeeded(response) && typeof token === 'string' && token !== '';
}

function signedInBy(answer: Response): SignedIn {
  return {
    accessToken: String(valueAt(answer.json(), 'accessToken')),
    refreshToken: answer.cookies.refreshToken ?? '',
    wasAccepted: false,
  };
}

function succeeded(response: Response): boolean {
  return valueAt(response.json(), 'success') === true;
}
