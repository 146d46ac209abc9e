import { expect, it } from 'vitest';
import { doctorText } from './doctor-text.ts';

const machine = {
  cpuModel: 'Some CPU',
  cpus: 8,
  memoryBytes: 16 * 1024 ** 3,
  operatingSystem: 'Some Linux 1',
  kernel: '6.1',
  node: 'v24.9.0',
  lacks: ['control-groups', 'cpu-placement'] as const,
  limits: { cpus: 0.5, memoryBytes: 1024 ** 3 },
  container: 'docker',
};
const nothing = { removed: [], kept: [], running: [], limits: [] };

it('shows the machine, what it lacks with the command that installs it, and what was left', () => {
  const text = doctorText({
    machine,
    capabilities: [
      { name: 'embedded PostgreSQL', neededFor: 'tiers', state: 'ready', detail: 'PostgreSQL 18.4' },
      { name: 'nginx', neededFor: 'several instances', state: 'missing', detail: 'not found', install: 'get nginx' },
      { name: 'memory', neededFor: 'everything', state: 'limited', detail: '0.5 GiB available; stop other programs' },
    ],
    orphans: {
      removed: ['/tmp/tierbench-1'],
      kept: [{ what: '/tmp/tierbench-2', why: 'it belongs to user 1001' }],
      running: ['20261121-070642-1f3a09bc'],
      limits: [],
    },
  });
  expect(text).toBe(`This machine
  8 x Some CPU, 16.0 GiB memory
  Some Linux 1, kernel 6.1, Node.js v24.9.0
  without limits on CPU and memory outside of containers; processes that are kept to CPUs
  limited to 0.5 CPUs and 1.0 GiB by its control group
  in a container (docker)

What it can run
  embedded PostgreSQL  ok       PostgreSQL 18.4
  nginx                missing  not found
                                for several instances
                                install: get nginx
  memory               limited  0.5 GiB available; stop other programs
                                for everything

\`tierbench doctor --install\` runs the install commands.

Left by commands that were killed
  removed /tmp/tierbench-1
  kept /tmp/tierbench-2: it belongs to user 1001
  run 20261121-070642-1f3a09bc is running and was not touched
`);
});

it('says so when there is nothing to install and nothing was left', () => {
  const text = doctorText({
    machine: { ...machine, lacks: [], limits: {}, container: null },
    capabilities: [{ name: 'k6', neededFor: 'k6', state: 'missing', detail: 'see https://grafana.com' }],
    orphans: nothing,
  });
  expect(text).not.toContain('--install');
  expect(text).not.toContain('container');
  expect(text).not.toContain('without');
  expect(text).toMatch(/killed\n {2}nothing\n$/);
});
