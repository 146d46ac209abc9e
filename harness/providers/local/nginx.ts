import { rmSync } from 'node:fs';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { Service } from '../../core/tier.ts';
import { freePort } from '../../machine/free-port.ts';
import type { Address } from '../../services/address.ts';
import { nginxConfiguration } from '../../services/load-balancer.ts';
import { get } from '../http-get.ts';
import { startChild } from './child-process.ts';
import { programOf, versionOf, writePrivateFile } from './distribution-server.ts';
import type { LocalServer, LocalServerOptions } from './local-server.ts';
import { accountFor, startServer, surroundingsOf, untilAnswered } from './local-server-process.ts';

export interface LocalNginx extends LocalServer {
  /** Its stub status page, on a port of its own. */
  readonly statusUrl: string;
}

export interface NginxOptions extends LocalServerOptions {
  readonly service: Service;
  /** Instances of the API. */
  readonly backends: readonly Address[];
}

export const nginxServer = { program: 'nginx', packageName: 'nginx-light' } as const;

/**
 * The distribution's nginx as a load balancer.
 * @throws TierbenchError SERVER_NOT_INSTALLED, SERVER_DID_NOT_START, PORT_BUSY, FOLDER_NOT_REACHABLE
 */
export async function startNginx(options: NginxOptions): Promise<LocalNginx> {
  const { service, backends, folder } = options;
  const program = programOf(nginxServer);
  const [account, version] = await Promise.all([accountFor('nginx', folder), versionOf(program, '-v', folder)]);
  const configuration = join(folder, 'nginx.conf');
  const processIdFile = join(folder, 'nginx.pid');
  let statusUrl = '';
  const server = await startServer(
    {
      name: 'nginx',
      failureCode: 'SERVER_DID_NOT_START',
      async prepare(port) {
        const statusPort = await freePort();
        statusUrl = `http://127.0.0.1:${statusPort}/status`;
        const surroundings = {
          listen: `127.0.0.1:${port}`,
          statusListen: `127.0.0.1:${statusPort}`,
          backends,
          folder,
        };
        await writePrivateFile(configuration, nginxConfiguration(service, surroundings), account);
      },
      launch() {
        rmSync(processIdFile, { force: true });
        const child = startChild({
          command: program,
          arguments: ['-p', folder, '-c', configuration],
          ...surroundingsOf(options, account),
        });
        const ask = async (signal: AbortSignal) => {
          // Written once it listens: before that, another server may answer where it is going to.
          await access(processIdFile);
          const { status } = await get(new URL(statusUrl), signal);
          if (status !== 200) throw new Error(`its status page answers ${status}`);
          return version && `nginx ${version}`;
        };
        return { child, answers: (signal) => untilAnswered(() => ask(signal), signal) };
      },
      stop: (child) => child.stop('SIGKILL', 0),
    },
    options,
  );
  return { ...server, statusUrl };
}
