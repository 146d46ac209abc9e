import { defineScenario, send, valueAt } from '../../scenarios/kit.ts';

export default defineScenario({
  name: 'flow',
  description:
    'Two requests, of which the second needs what the first was answered with. All bodies are JSON, and checked.',
  *iteration() {
    const body = { email: 'a@example.org', password: 'secret' };
    const login = yield* send({ name: 'log in', method: 'POST', path: '/login', body: { json: body } });
    yield* send({
      name: 'list',
      method: 'GET',
      path: '/tasks?page=1',
      headers: { authorization: `Bearer ${String(valueAt(login.json(), 'token'))}` },
      check: (response) => (valueAt(response.json(), 'tasks') as readonly unknown[]).length === 2,
    });
  },
});
