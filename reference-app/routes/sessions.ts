import type { FastifyInstance } from 'fastify';
import { signedInUser } from '../dependencies.ts';
import { ApiError } from '../errors.ts';
import { sessionParams, sessionsAnswer } from '../schemas/auth.ts';
import { answers, done, jsonSchema, signedIn } from '../schemas/envelope.ts';
import type { AuthDependencies } from './auth-dependencies.ts';

const described = { tags: ['sessions'], security: signedIn };

/** Where a user is signed in, and ending it. */
export function sessionRoutes(app: FastifyInstance, dependencies: AuthDependencies): void {
  const { authenticate, cache, sessions, endedSessions, cookies, writePositions } = dependencies;
  app.addHook('onRequest', authenticate);

  app.get('', { schema: { ...described, response: answers({ 200: sessionsAnswer }) } }, async (request) => {
    const user = signedInUser(request);
    const list = await cache.readThrough('sessions', String(user.id), writePositions.of(request), (after) =>
      sessions.list(user.id, after),
    );
    // One that was cached may have expired since.
    const good = list.filter(({ expiresAt }) => new Date(expiresAt).getTime() > Date.now());
    return { success: true, sessions: good.map((each) => ({ ...each, current: each.id === user.sessionId })) };
  });

  app.delete('', { schema: { ...described, response: answers({ 200: done }) } }, async (request, reply) => {
    await endedSessions(await sessions.revokeAll(signedInUser(request).id), reply);
    cookies.clear(reply);
    return { success: true, message: 'All sessions are ended.' };
  });

  app.delete<{ Params: { id: string } }>(
    '/:id',
    { schema: { ...described, params: jsonSchema(sessionParams), response: answers({ 200: done }) } },
    async (request, reply) => {
      const user = signedInUser(request);
      const revoked = await sessions.revokeOne(user.id, request.params.id);
      await endedSessions(revoked, reply);
      if (!revoked.anyNow) throw new ApiError(404, 'NOT_FOUND', 'You have no such session.');
      if (request.params.id === user.sessionId) cookies.clear(reply);
      return { success: true, message: 'The session is ended.' };
    },
  );
}
