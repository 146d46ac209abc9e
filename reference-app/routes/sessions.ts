import type { FastifyInstance } from 'fastify';
import { signedInUser } from '../dependencies.ts';
import { ApiError } from '../errors.ts';
import { sessionParams, sessionsAnswer } from '../schemas/auth.ts';
import { answers, done } from '../schemas/envelope.ts';
import { jsonSchema } from '../schemas/json-schema.ts';
import { signedIn } from '../schemas/security.ts';
import type { AuthDependencies } from './auth-dependencies.ts';

const described = { tags: ['sessions'], security: signedIn };

/** Where a user is signed in, and ending it. */
export function sessionRoutes(app: FastifyInstance, dependencies: AuthDependencies): void {
  const { authenticate, sessions, blacklist, cookies } = dependencies;
  app.addHook('onRequest', authenticate);

  app.get('', { schema: { ...described, response: answers({ 200: sessionsAnswer }) } }, async (request) => {
    const user = signedInUser(request);
    const list = await sessions.list(user.id);
    return { success: true, sessions: list.map((each) => ({ ...each, current: each.id === user.sessionId })) };
  });

  app.delete('', { schema: { ...described, response: answers({ 200: done }) } }, async (request, reply) => {
    await blacklist.added(await sessions.revokeAll(signedInUser(request).id));
    cookies.clear(reply);
    return { success: true, message: 'All sessions are ended.' };
  });

  app.delete<{ Params: { id: string } }>(
    '/:id',
    { schema: { ...described, params: jsonSchema(sessionParams), response: answers({ 200: done }) } },
    async (request, reply) => {
      const user = signedInUser(request);
      const revoked = await sessions.revokeOne(user.id, request.params.id);
      if (revoked.length === 0) throw new ApiError(404, 'NOT_FOUND', 'You have no such session.');
      await blacklist.added(revoked);
      if (request.params.id === user.sessionId) cookies.clear(reply);
      return { success: true, message: 'The session is ended.' };
    },
  );
}
