import type { Capability, MachineFacts } from '../../harness/core/machine.ts';
import { describeLacks } from '../../reports/describe/notes.ts';

/** What `tierbench doctor` found. */
export interface DoctorReport {
  readonly machine: MachineFacts;
  readonly capabilities: readonly Capability[];
  readonly orphans: {
    /** One line each. */
    readonly removed: readonly string[];
    readonly kept: readonly { readonly what: string; readonly why: string }[];
    readonly running: readonly string[];
    /** What could not be looked at. */
    readonly limits: readonly string[];
  };
}

const signs: Readonly<Record<Capability['state'], string>> = { ready: 'ok', limited: 'limited', missing: 'missing' };

/** For a terminal or a file: plain text, lines as long as they are. */
export function doctorText({ machine, capabilities, orphans }: DoctorReport): string {
  const nameWidth = Math.max(...capabilities.map(({ name }) => name.length), 0);
  const signWidth = Math.max(...Object.values(signs).map((sign) => sign.length));
  const indent = ' '.repeat(nameWidth + signWidth + 6);
  const lines = capabilities.flatMap((capability) => {
    const { name, state, detail, neededFor, install } = capability;
    const first = `  ${name.padEnd(nameWidth)}  ${signs[state].padEnd(signWidth)}  ${detail}`;
    if (state === 'ready') return [first];
    return [first, `${indent}for ${neededFor}`, ...(install === undefined ? [] : [`${indent}install: ${install}`])];
  });
  const installable = capabilities.some(({ state, install }) => state !== 'ready' && install !== undefined);
  return [
    'This machine',
    ...machineLines(machine),
    '',
    'What it can run',
    ...lines,
    ...(installable ? ['', '`tierbench doctor --install` runs the install commands.'] : []),
    '',
    'Left by commands that were killed',
    ...orphanLines(orphans),
    '',
  ].join('\n');
}

function machineLines(machine: MachineFacts): string[] {
  const { cpus, memoryBytes } = machine.limits;
  const limits = [
    ...(cpus === undefined ? [] : [`${Number(cpus.toFixed(2))} CPUs`]),
    ...(memoryBytes === undefined ? [] : [gibibytes(memoryBytes)]),
  ];
  return [
    `  ${machine.cpus} x ${machine.cpuModel}, ${gibibytes(machine.memoryBytes)} memory`,
    `  ${machine.operatingSystem}, kernel ${machine.kernel}, Node.js ${machine.node}`,
    ...(machine.lacks.length === 0 ? [] : [`  without ${describeLacks(machine.lacks)}`]),
    ...(limits.length === 0 ? [] : [`  limited to ${limits.join(' and ')} by its control group`]),
    ...(machine.container === null ? [] : [`  in a container (${machine.container})`]),
  ];
}

function orphanLines({ removed, kept, running, limits }: DoctorReport['orphans']): string[] {
  const lines = [
    ...removed.map((what) => `  removed ${what}`),
    ...kept.map(({ what, why }) => `  kept ${what}: ${why}`),
    ...running.map((runId) => `  run ${runId} is running and was not touched`),
    ...limits.map((limit) => `  ${limit}`),
  ];
  return lines.length === 0 ? ['  nothing'] : lines;
}

function gibibytes(bytes: number): string {
  return `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
}
