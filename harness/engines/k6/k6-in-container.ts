import { once } from 'node:events';
import type Docker from 'dockerode';
import { dockerHere } from '../../container-engine/docker.ts';
import { thisSystem } from '../../operating-system/this-system.ts';
import { registerRun } from '../../orphans/register.ts';
import { type ContainerOrder, ORDER_VARIABLE } from './k6-program.ts';

/** As the docker program has it, for what went wrong before the program in the container ran. */
const COULD_NOT_RUN = 125;

/**
 * A process that stands for one in a container: it passes on output, signals and exit code, and when its standard input
 * closes, because who started it has died, it ends the container. Should it be killed itself, the record it keeps lets
 * the next command find the container.
 */
async function attend(): Promise<number> {
  const order = JSON.parse(process.env[ORDER_VARIABLE] ?? '') as ContainerOrder;
  const signals: NodeJS.Signals[] = [];
  let passOn = (signal: NodeJS.Signals): void => void signals.push(signal);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => passOn(signal));
  process.stdin.once('close', () => passOn('SIGKILL')).resume();

  await using run = await registerRun();
  const docker = await dockerHere();
  const container = await docker.createContainer(await containerOf(order, run.labels, docker));
  try {
    const output = await container.attach({ stream: true, stdout: true, stderr: true });
    docker.modem.demuxStream(output, process.stdout, process.stderr);
    const outputEnded = once(output, 'end');
    await container.start();
    // One that has just ended takes no signal any more.
    passOn = (signal) => void container.kill({ signal }).catch(() => {});
    for (const signal of signals) passOn(signal);
    const { StatusCode } = (await container.wait()) as { StatusCode: number };
    await outputEnded;
    return StatusCode;
  } finally {
    await container.remove({ force: true, v: true });
  }
}

async function containerOf(
  { image, args, folder, environment }: ContainerOrder,
  labels: Readonly<Record<string, string>>,
  docker: Docker,
): Promise<Docker.ContainerCreateOptions> {
  const { SecurityOptions = [] }: { SecurityOptions?: readonly string[] } = await docker.info();
  const { uid, gid } = SecurityOptions.some((option) => option.includes('rootless'))
    ? // There root in a container is the account the engine runs under.
      { uid: 0, gid: 0 }
    : { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const cpus = thisSystem.allowedCpus();
  return {
    Image: image,
    Cmd: [...args],
    User: `${uid}:${gid}`,
    WorkingDir: folder,
    Env: Object.entries(environment).map(([name, value]) => `${name}=${value}`),
    Labels: { ...labels },
    AttachStdout: true,
    AttachStderr: true,
    HostConfig: {
      NetworkMode: 'host',
      Binds: [`${folder}:${folder}`],
      // Where the load generator is kept to a CPU, so is what makes the load for it.
      ...(cpus.length > 0 && { CpusetCpus: cpus.join(',') }),
      LogConfig: { Type: 'none', Config: {} },
    },
  };
}

try {
  process.exitCode = await attend();
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = COULD_NOT_RUN;
} finally {
  // Open, it would keep this process.
  process.stdin.destroy();
}
