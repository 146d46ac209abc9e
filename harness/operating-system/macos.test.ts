import { expect, it } from 'vitest';
import { macos } from './macos.ts';

/** What the programs of macOS print, by the command line. */
function printing(outputs: Readonly<Record<string, string>>) {
  const answer = (command: string, words: readonly string[]) => outputs[[command, ...words].join(' ')] ?? '';
  return macos({ now: answer, soon: async (command, words) => answer(command, words) });
}

const startedS = Date.UTC(2026, 10, 28, 0, 44, 6) / 1000;

it('names the system, what process ids are counted in, and its limits', () => {
  const system = printing({
    'sw_vers -productVersion': '15.5\n',
    'sysctl -n kern.bootsessionuuid': '5D1C9A0E-6F1B-4C57-8F0A-2C7E0C3B9D11\n',
    'sysctl -n net.inet.ip.portrange.first': '49152\n',
    'sh -c ulimit -n': 'unlimited\n',
  });
  expect(system.platform).toBe('darwin');
  expect(system.name()).toBe('macOS 15.5');
  expect(system.bootId()).toBe('5D1C9A0E-6F1B-4C57-8F0A-2C7E0C3B9D11');
  expect(system.firstOutgoingPort()).toBe(49152);
  expect(system.openFilesLimit()).toBe(Number.POSITIVE_INFINITY);
});

it('says what it lacks, and shows it as nothing', () => {
  const system = printing({});
  expect(system.lacks).toEqual(['control-groups', 'cpu-placement', 'thread-cpu']);
  expect(system.controlGroupTrees()).toEqual([]);
  expect(system.allowedCpus()).toEqual([]);
  expect(system.onCpus([0], ['node'])).toBeUndefined();
  expect(system.pinThisProcess([0])).toBe(false);
  expect(system.threadId()).toBeNull();
  const { cores, runnable, details } = system.machineCpu();
  expect([cores > 0, runnable, details]).toEqual([true, undefined, undefined]);
});

it('finds processes by their mark, by their folder, and with the one that started them', () => {
  const system = printing({
    'ps -A -o pid=,ppid=,stat=,tty=,lstart=': [
      '  501     1 S    ??       Sat Nov 28 00:44:06 2026',
      ' 4711   501 Ss+  ttys003  Sat Nov  8 09:04:06 2026',
      ' 4712   501 Z    ??       Sat Nov 28 00:44:07 2026',
    ].join('\n'),
    'lsof -nPw -d cwd -F pn': 'p501\nfcwd\nn/private/tmp/tierbench 1/primary\np4711\nfcwd\nn/Users/me\n',
    'ps -AEww -o pid=,command=': [
      '  501 /opt/node server.js PATH=/bin TIERBENCH_RUN=20261128-004406-1f3a09bc HOME=/tmp',
      ' 4711 grep TIERBENCH_RUNS= file',
    ].join('\n'),
  });
  expect(system.processes('TIERBENCH_RUN')).toEqual([
    {
      processId: 501,
      parentId: 1,
      startTicks: startedS,
      hasTerminal: false,
      mark: '20261128-004406-1f3a09bc',
      workingFolder: '/private/tmp/tierbench 1/primary',
    },
    {
      processId: 4711,
      parentId: 501,
      startTicks: Date.UTC(2026, 10, 8, 9, 4, 6) / 1000,
      hasTerminal: true,
      mark: undefined,
      workingFolder: '/Users/me',
    },
  ]);
});

it('counts CPU and memory of a process with its descendants, each watched one by itself', async () => {
  const system = printing({
    'ps -A -o pid=,ppid=,time=,rss=,lstart=': [
      '  501     1   0:01.25   2048 Sat Nov 28 00:44:06 2026',
      '  502   501 123:04.50   1024 Sat Nov 28 00:44:06 2026',
      '  503   502   0:00.01    512 Sat Nov 28 00:44:06 2026',
      '  504   501   0:02.00    512 Sat Nov 28 00:44:06 2026',
    ].join('\n'),
    'ps -o time= -p 502': '1-02:03:04\n',
  });
  const usage = await system.usageOf([501, 504, 9]);
  const seen = (root: number) =>
    usage.get(root)?.map(({ processId, cpuS, memoryBytes }) => [processId, cpuS, memoryBytes]);
  expect(seen(501)).toEqual([
    [501, 1.25, 2048 * 1024],
    [502, 123 * 60 + 4.5, 1024 * 1024],
    [503, 0.01, 512 * 1024],
  ]);
  expect(seen(504)).toEqual([[504, 2, 512 * 1024]]);
  expect(seen(9)).toEqual([]);
  expect(await system.busyS(502)).toBe(86_400 + 2 * 3600 + 3 * 60 + 4);
  expect(await system.busyS(9)).toBeUndefined();
});
