import type { Command } from './service-type.ts';

/** Where the script of a container is put. */
export const SCRIPT = '/etc/tierbench/start.sh';

export interface ScriptContent {
  /** In a file of the container where its environment is shown to whoever may use the engine. */
  readonly secretEnvironment?: Readonly<Record<string, string>>;
  /** A folder, and what is run while nothing is in it. */
  readonly dataFolder?: string;
  readonly prepare?: readonly Command[];
  /** Repeats each command of `prepare` until it succeeds, where what it connects to may still be starting. */
  readonly patient?: boolean;
  readonly command: Command;
}

/** A script for `sh` that sets variables, prepares the data before the first start, and then becomes the command. */
export function shellScript(content: ScriptContent): string {
  const { secretEnvironment = {}, dataFolder, prepare = [], patient = false, command } = content;
  const line = (each: Command) => wordsOf(each).map(quoted).join(' ');
  const exports = Object.entries(secretEnvironment).map(([name, value]) => `export ${name}=${quoted(value)}`);
  const preparation =
    dataFolder === undefined || prepare.length === 0
      ? []
      : [
          `if [ -z "$(ls -A ${quoted(dataFolder)})" ]; then`,
          `  chmod 0700 ${quoted(dataFolder)}`,
          ...prepare.map((each) => (patient ? `  until ${line(each)}; do sleep 0.5; done` : `  ${line(each)}`)),
          'fi',
        ];
  return `${['set -eu', ...exports, ...preparation, `exec ${line(command)}`].join('\n')}\n`;
}

/** A command as an image has it: a program by its name, a script by Node in the working directory. */
export function wordsOf({ program, arguments: options }: Command): readonly string[] {
  return program.from === 'node' ? ['node', `${program.name}.ts`, ...options] : [program.name, ...options];
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/u.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
