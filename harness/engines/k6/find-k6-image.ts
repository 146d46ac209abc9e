import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { dockerHere } from '../../container-engine/docker.ts';
import { engineFacts } from '../../container-engine/engine.ts';
import { haveImage } from '../../container-engine/images.ts';
import { type Problem, TierbenchError } from '../../core/errors.ts';
import { ownModule } from '../../machine/own-package.ts';
import { RUN_VARIABLE } from '../../orphans/run-record.ts';
import {
  type ContainerOrder,
  type K6Choice,
  type K6Process,
  type K6Program,
  type K6StartOptions,
  ORDER_VARIABLE,
  settingsWithHome,
  supportedVersion,
  unusable,
  versionIn,
} from './k6-program.ts';

/**
 * k6 from its image, which is pulled unless it is here; the reason where that or the container engine cannot be had.
 * It runs in this machine's own network, so that 127.0.0.1 is the same for it, and sees one folder of its files.
 * @throws TierbenchError K6_UNUSABLE, K6_VERSION_NOT_SUPPORTED
 */
export async function k6FromImage(
  image: string,
  { signal = new AbortController().signal, onProgress = () => {} }: Pick<K6Choice, 'signal' | 'onProgress'> = {},
): Promise<K6Program | Problem> {
  const facts = await engineFacts();
  if ('obstacle' in facts) return { what: 'containers', ...facts };
  try {
    await haveImage(await dockerHere(), image, { signal, onProgress });
  } catch (error) {
    // What to do about it is another thing than for the images of a tier.
    if (error instanceof TierbenchError) return { what: error.message };
    throw error;
  }
  const start = starterOf(image);
  const asked = start(['version'], { cwd: tmpdir(), env: {} });
  const [said, complaint] = await Promise.all([text(asked.stdout), text(asked.stderr)]);
  const version = versionIn(said);
  if (version === undefined) {
    throw unusable(`the image ${image} does not run k6: ${(said || complaint).trim().split('\n')[0]}`);
  }
  const where = `the image ${image}`;
  return { version: supportedVersion(version, where), origin: `${where}, Docker ${facts.version}`, start };
}

function starterOf(image: string): K6Program['start'] {
  return (args: readonly string[], { cwd, env }: K6StartOptions): K6Process => {
    const order: ContainerOrder = { image, args, folder: cwd, environment: { ...settingsWithHome(cwd), ...env } };
    const mark = env[RUN_VARIABLE];
    const child = spawn(process.execPath, [attendantFile()], {
      env: {
        ...process.env,
        // Not as arguments, which everyone on the machine can read.
        [ORDER_VARIABLE]: JSON.stringify(order),
        ...(mark !== undefined && { [RUN_VARIABLE]: mark }),
      },
      stdio: 'pipe',
      // Ctrl-C in the terminal reaches tierbench alone, which passes it on.
      detached: true,
    });
    child.stdin.on('error', () => {});
    const kill = child.kill.bind(child);
    // The process that watches the container must outlive k6, to remove the container. It does so when the pipe closes.
    child.kill = (signal) => {
      if (signal !== 'SIGKILL' && signal !== 9) return kill(signal);
      child.stdin.end();
      return child.exitCode === null && child.signalCode === null;
    };
    return child;
  };
}

function attendantFile(): string {
  return fileURLToPath(ownModule('./k6-in-container', import.meta.url));
}
