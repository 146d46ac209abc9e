import { request } from 'node:http';
import type { Finding } from '../core/machine.ts';
import { findProgram } from '../operating-system/find-program.ts';

/** A program of the distribution. Where there is no apt-get, the package's name is all we know. */
export function distributionProgram(names: readonly string[], packageName: string): Finding {
  const program = findProgram(names);
  if (program !== undefined) return { state: 'ready', detail: program };
  return { state: 'missing', detail: `no ${names.join(' or ')} on the PATH`, ...installPackage(packageName) };
}

function installPackage(packageName: string): { readonly install?: string } {
  if (findProgram(['apt-get']) === undefined) return {};
  return { install: `apt-get install -y --no-install-recommends ${packageName}` };
}

/** A container engine that answers, at DOCKER_HOST or the usual socket. */
export async function containerEngine(
  host = process.env.DOCKER_HOST || 'unix:///var/run/docker.sock',
): Promise<Finding> {
  const socketPath = /^unix:\/\/(.+)$/.exec(host)?.[1];
  const address = socketPath === undefined ? host.replace(/^tcp:/, 'http:') : 'http://localhost';
  const answer = await new Promise<string>((resolve) => {
    const options = { ...(socketPath !== undefined && { socketPath }), timeout: 2000, agent: false };
    const ping = request(new URL('/_ping', address), options, (response) => {
      response.resume();
      resolve(response.statusCode === 200 ? 'ready' : `it answers with status ${response.statusCode}`);
    });
    ping.once('timeout', () => ping.destroy(new Error('no answer within 2 s')));
    ping.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    ping.end();
  });
  if (answer === 'ready') return { state: 'ready', detail: host };
  if (answer === 'EACCES') {
    return { state: 'missing', detail: `this account may not use ${host}; add it to the group 'docker'` };
  }
  if (findProgram(['dockerd', 'docker']) === undefined) {
    return { state: 'missing', detail: 'no container engine', ...installPackage('docker.io') };
  }
  return { state: 'missing', detail: `installed, but nothing answers at ${host} (${answer}); start it` };
}
