import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Service } from '../../core/tier.ts';
import { redisConfiguration } from '../../services/cache.ts';
import { askRedis } from '../answers.ts';
import { startChild } from './child-process.ts';
import { programOf, writePrivateFile } from './distribution-server.ts';
import type { LocalServer, LocalServerOptions } from './local-server.ts';
import { accountFor, startServer, surroundingsOf, untilAnswered } from './local-server-process.ts';

export interface LocalRedis extends LocalServer {
  /** With its password: a secret. */
  readonly url: string;
}

export interface RedisOptions extends LocalServerOptions {
  readonly service: Service;
}

export const redisServer = { program: 'redis-server', packageName: 'redis-server' } as const;

/**
 * The distribution's Redis with a random password, which keeps nothing: killed and started again it is empty.
 * @throws TierbenchError SERVER_NOT_INSTALLED, SERVER_DID_NOT_START, PORT_BUSY, FOLDER_NOT_REACHABLE
 */
export async function startRedis(options: RedisOptions): Promise<LocalRedis> {
  const { service, folder } = options;
  const program = programOf(redisServer);
  const account = await accountFor('Redis', folder);
  const password = randomBytes(18).toString('base64url');
  const configuration = join(folder, 'redis.conf');
  const urlAt = (port: number) => `redis://:${password}@127.0.0.1:${port}`;
  const server = await startServer(
    {
      name: 'Redis',
      failureCode: 'SERVER_DID_NOT_START',
      async prepare(port) {
        const listen = { host: '127.0.0.1', port };
        await writePrivateFile(configuration, redisConfiguration(service, { listen, password, folder }), account);
      },
      launch(port) {
        const child = startChild({
          command: program,
          arguments: [configuration],
          secrets: [password],
          ...surroundingsOf(options, account),
        });
        return {
          child,
          answers: (signal) => untilAnswered(async () => `Redis ${await askRedis(urlAt(port))}`, signal),
        };
      },
      stop: (child) => child.stop('SIGKILL', 0),
    },
    options,
  );
  return { ...server, url: urlAt(server.port) };
}
