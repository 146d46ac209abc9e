import type { FastifyInstance, FastifyReply } from 'fastify';
import { ApiError } from '../plugins/failures.ts';
import { refuseUnusablePassword } from '../plugins/passwords.ts';
import { emailOnly, type PasswordReset, passwordReset, tokenOnly } from '../schemas/auth.ts';
import { answers, done, jsonSchema } from '../schemas/envelope.ts';
import type { AuthDependencies } from './auth.ts';

const tags = ['auth'];

/** Forgotten passwords and the verification of e-mail addresses. */
export function mailedTokenRoutes(app: FastifyInstance, dependencies: AuthDependencies): void {
  const { config, cache, users, sessions, mailedTokens, passwords, mailer, inBackground } = dependencies;
  const { writePositions, endedSessions } = dependencies;

  /** What was written is what the user sees from now on. */
  async function show(userId: number, reply: FastifyReply): Promise<void> {
    const owner = String(userId);
    const written = await writePositions.tell(reply);
    await Promise.all([cache.invalidate('me', owner, written), cache.invalidate('user-by-id', owner, written)]);
  }

  app.post<{ Body: { email: string } }>(
    '/forgot-password',
    {
      config: { countedByEmail: 'all' },
      schema: { tags, body: jsonSchema(emailOnly), response: answers({ 200: done }) },
    },
    async (request) => {
      const email = request.body.email.toLowerCase();
      // The answer waits for none of this, so neither it nor its time tells whether the address is known.
      inBackground('password reset mail', async () => {
        const user = await users.findByEmail(email);
        if (user === undefined) return;
        const created = await mailedTokens.create(user.id, 'reset-password', config.RESET_PASSWORD_TTL_S);
        await mailer.send({ to: user.email, userId: user.id, purpose: 'reset-password', ...created });
      });
      return { success: true, message: 'If there is an account with this address, a mail is on its way.' };
    },
  );

  app.post<{ Body: PasswordReset }>(
    '/reset-password',
    { schema: { tags, body: jsonSchema(passwordReset), response: answers({ 200: done }) } },
    async (request, reply) => {
      const { token, password } = request.body;
      refuseUnusablePassword(password);
      const passwordHash = (await mailedTokens.canReset(token)) ? await passwords.hash(password) : undefined;
      const reset = passwordHash === undefined ? undefined : await sessions.resetPassword(token, passwordHash);
      if (reset === undefined)
        throw new ApiError(404, 'TOKEN_INVALID', 'This link was used or has expired. Ask for a new one.');
      await endedSessions(reset.revoked);
      await show(reset.userId, reply);
      return { success: true, message: 'The password is changed and all sessions are ended. Sign in again.' };
    },
  );

  app.post<{ Body: { token: string } }>(
    '/verify-email',
    { schema: { tags, body: jsonSchema(tokenOnly), response: answers({ 200: done }) } },
    async (request, reply) => {
      const userId = await mailedTokens.verifyEmail(request.body.token);
      if (userId === undefined)
        throw new ApiError(404, 'TOKEN_INVALID', 'This link was used or has expired. Ask for a new one.');
      await show(userId, reply);
      return { success: true, message: 'The e-mail address is verified.' };
    },
  );
}
