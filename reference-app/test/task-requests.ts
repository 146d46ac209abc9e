import { bearer, type SignedIn, type TestApp } from './app.ts';

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** What tests of the tasks ask of an app, as one of its users. */
export function taskRequests(api: TestApp) {
  let users = 0;

  async function newUser(): Promise<SignedIn> {
    users += 1;
    const email = `task-user-${users}@example.org`;
    await api.register(email);
    return api.logIn(email);
  }

  const answerOf = (user: SignedIn, method: Method, url: string, payload?: object) =>
    api.send({ method, url, headers: bearer(user.accessToken), ...(payload && { payload }) });

  async function create(user: SignedIn, fields: object): Promise<{ id: number; [field: string]: unknown }> {
    const answer = await answerOf(user, 'POST', '/api/tasks', fields);
    if (answer.statusCode !== 201) throw new Error(`create answered ${answer.statusCode}: ${answer.body}`);
    return answer.json().task;
  }

  async function list(user: SignedIn, parameters: Record<string, string>) {
    const answer = await answerOf(user, 'GET', `/api/tasks?${new URLSearchParams(parameters)}`);
    if (answer.statusCode !== 200) throw new Error(`list answered ${answer.statusCode}: ${answer.body}`);
    const { tasks, pagination } = answer.json();
    return { titles: tasks.map((task: { title: string }) => task.title) as string[], pagination };
  }

  return { newUser, answerOf, create, list };
}
