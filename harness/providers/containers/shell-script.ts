import type { Command } from '../../services/service-type.ts';

/** Where the script of a container is put. */
export const SCRIPT = '/etc/tierbench/start.sh';

export interface ScriptParts {
  /** In a file of the container: its environment is shown to whoever may use the engine. */
  readonly secretEnvironment: Readonly<Record<string, string>>;
  /** A folder, and what is run while nothing is in it. */
  readonly dataFolder?: string;
  readonly prepare?: readonly (readonly string[])[];
  readonly command: readonly string[];
}

/** A script for `sh` that sets variables, prepares the data before the first start, and then becomes the command. */
export function shellScript({ secretEnvironment, dataFolder, prepare = [], command }: ScriptParts): string {
  const line = (words: readonly string[]) => words.map(quoted).join(' ');
  const exports = Object.entries(secretEnvironment).map(([name, value]) => `export ${name}=${quoted(value)}`);
  const preparation =
    dataFolder === undefined || prepare.length === 0
      ? []
      : [
          `if [ -z "$(ls -A ${quoted(dataFolder)})" ]; then`,
          `  chmod 0700 ${quoted(dataFolder)}`,
          ...prepare.map((words) => `  ${line(words)}`),
          'fi',
        ];
  return `${['set -eu', ...exports, ...preparation, `exec ${line(command)}`].join('\n')}\n`;
}

/** A command as an image has it: a program by its name, a script by this Node in the working directory. */
export function wordsOf({ program, arguments: words }: Command): readonly string[] {
  return program.from === 'node' ? ['node', `${program.name}.ts`, ...words] : [program.name, ...words];
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
