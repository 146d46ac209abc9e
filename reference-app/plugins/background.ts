import type { FastifyInstance } from 'fastify';

/** Runs work whose outcome an answer must not wait for or show; the app stops only when it is done. */
export type InBackground = (what: string, work: () => Promise<void>) => void;

export function createBackground(app: FastifyInstance): InBackground {
  const running = new Set<Promise<void>>();
  app.addHook('onClose', async () => {
    await Promise.all(running);
  });
  return (what, work) => {
    const done = work()
      .catch((error: Error) => app.log.error({ what, reason: error.message }, 'work in the background failed'))
      .finally(() => running.delete(done));
    running.add(done);
  };
}
