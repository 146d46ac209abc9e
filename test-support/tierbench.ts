import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect } from 'vitest';

const command = join(import.meta.dirname, '../cli/tierbench.js');

/** For runs whose test looks at the calibration: measuring it takes longer than most of what the others look at. */
export const calibrated = { TIERBENCH_TEST_CALIBRATION: '' };

export interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Started {
  readonly process: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves when standard error has said this, rejects when the command ends without. */
  said(text: string | RegExp): Promise<void>;
}

/** A machine of its own for the command, as far as files go: home and temporary folder are empty at first. */
export interface Workplace extends AsyncDisposable {
  readonly folder: string;
  /** Where the command keeps temporary files. */
  readonly temporary: string;
  /** In `workingDirectory`, else in `folder`. `through`: a program that runs the command, such as `nohup`. */
  start(
    words: readonly string[],
    environment?: Readonly<Record<string, string>>,
    workingDirectory?: string,
    through?: readonly string[],
  ): Started;
  run(words: readonly string[], environment?: Readonly<Record<string, string>>): Promise<Ended>;
  /** What the command left: temporary files, and processes that know this workplace. Empty is right. */
  orphans(): Promise<readonly string[]>;
}

export async function workplace(): Promise<Workplace> {
  const folder = await mkdtemp(join(tmpdir(), 'tierbench-test-'));
  const temporary = join(folder, 'tmp');
  const home = join(folder, 'home');
  await mkdir(temporary, { mode: 0o755 });
  await mkdir(home);
  // PostgreSQL may run under another account, which must get to its data.
  if (process.getuid?.() === 0) await chmod(folder, 0o755);

  function start(
    words: readonly string[],
    environment: Readonly<Record<string, string>> = {},
    workingDirectory = folder,
    through: readonly string[] = [],
  ): Started {
    const [program = '', ...before] = [...through, process.execPath];
    const child = spawn(program, [...before, command, ...words], {
      cwd: workingDirectory,
      env: {
        PATH: process.env.PATH ?? '',
        HOME: home,
        TMPDIR: temporary,
        TIERBENCH_TEST_CALIBRATION: 'none',
        ...environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk;
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      stderr += chunk;
    });
    const ended = once(child, 'close').then(([exitCode]) => ({ exitCode, stdout, stderr }));
    return {
      process: child,
      ended,
      said: (text) =>
        new Promise((resolve, reject) => {
          const look = () => {
            if (typeof text === 'string' ? stderr.includes(text) : text.test(stderr)) resolve();
          };
          child.stderr.on('data', look);
          look();
          child.once('close', () => reject(new Error(`it ended without saying ${text}:\n${stderr}`)));
        }),
    };
  }

  return {
    folder,
    temporary,
    start,
    run: (words, environment) => start(words, environment).ended,
    async orphans() {
      const files = (await readdir(temporary)).map((name) => `file ${name}`);
      return [...files, ...processesKnowing(folder).map((each) => `process ${each}`)];
    },
    async [Symbol.asyncDispose]() {
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A workplace that is new for each test of the file that calls this. Nothing may be left in it but what `mayStay` names. */
export function workplaceForEach(
  mayStay: (orphan: string) => boolean = () => false,
): Omit<Workplace, typeof Symbol.asyncDispose> {
  let place: Workplace;
  beforeEach(async () => {
    place = await workplace();
  });
  afterEach(async () => {
    const left = (await place.orphans()).filter((orphan) => !mayStay(orphan));
    await place[Symbol.asyncDispose]();
    expect(left).toEqual([]);
  });
  return {
    get folder() {
      return place.folder;
    },
    get temporary() {
      return place.temporary;
    },
    start: (...given) => place.start(...given),
    run: (...given) => place.run(...given),
    orphans: () => place.orphans(),
  };
}

/** Processes whose working folder is below `folder`, or whose environment or arguments name it. */
function processesKnowing(folder: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const read = (file: string): string => {
        try {
          return readFileSync(`/proc/${name}/${file}`, 'utf8');
        } catch {
          return '';
        }
      };
      const words = read('cmdline').replaceAll('\0', ' ').trim();
      const knows = words.includes(folder) || read('environ').includes(folder);
      return knows && read('stat').split(' ')[2] !== 'Z' ? [`${name} ${words}`] : [];
    });
}
