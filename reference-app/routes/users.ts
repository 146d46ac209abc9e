import type { FastifyInstance } from 'fastify';
import { signedInUser } from '../dependencies.ts';
import { requireAdmin } from '../plugins/authentication.ts';
import { ApiError } from '../plugins/failures.ts';
import type { User } from '../repositories/users.ts';
import { type UserListQuery, userAnswer, userListAnswer, userListQuery, userParams } from '../schemas/auth.ts';
import { answers, jsonSchema, signedIn } from '../schemas/envelope.ts';
import type { AuthDependencies } from './auth.ts';

const described = { tags: ['users'], security: signedIn };

export function userRoutes(app: FastifyInstance, dependencies: AuthDependencies): void {
  const { authenticate, cache, users, writePositions } = dependencies;
  app.addHook('onRequest', authenticate);

  app.get<{ Querystring: UserListQuery }>(
    '',
    {
      onRequest: requireAdmin,
      schema: { ...described, querystring: jsonSchema(userListQuery), response: answers({ 200: userListAnswer }) },
    },
    async (request) => {
      const { page, limit } = request.query;
      const { value } = await users.list(page, limit, writePositions.of(request));
      const { users: list, totalUsers } = value;
      const pagination = { currentPage: page, totalPages: Math.ceil(totalUsers / limit), totalUsers };
      return { success: true, users: list, pagination };
    },
  );

  app.get<{ Params: { id: number } }>(
    '/:id',
    { schema: { ...described, params: jsonSchema(userParams), response: answers({ 200: userAnswer }) } },
    async (request) => {
      const { id: ownId, role } = signedInUser(request);
      const { id } = request.params;
      if (id !== ownId && role !== 'admin') throw new ApiError(403, 'FORBIDDEN', 'You may see your own account only.');
      const user = await cache.readThrough<User | undefined>(
        'user-by-id',
        String(id),
        writePositions.of(request),
        (after) => users.findById(id, after),
      );
      if (user === undefined) throw new ApiError(404, 'NOT_FOUND', 'There is no such user.');
      return { success: true, user };
    },
  );
}
