import type { Note, Obstacle } from '../../harness/core/findings.ts';
import { describeLoad } from '../../harness/core/load.ts';
import type { SystemLack } from '../../harness/core/machine.ts';
import { formatBytes, formatNumber, formatRate, formatSeconds } from '../../harness/core/units.ts';
import { list } from '../text.ts';
import { describer } from './reasons.ts';

const installEngine = 'install one from https://docs.docker.com/engine/install/, or use the local provider';

/** Why a tier cannot be started here, with the next step. */
export const describeObstacle = describer<Obstacle>({
  missing: ({ capability, services, detail, command }) =>
    `${capability} is missing, which ${list(services)} ${services.length === 1 ? 'needs' : 'need'}: ${detail}${command === null ? '' : `; install it with \`${command}\``}`,
  'no-container-engine': () => `no container engine was found; ${installEngine}`,
  'container-client-not-loaded': ({ detail }) =>
    `${detail}; run \`npm install\` again where tierbench is installed, or use the local provider`,
  'container-engine-not-reachable': ({ address, detail }) =>
    `no container engine answers at ${address} (${detail}); start it (\`sudo systemctl start docker\`), or ${installEngine}`,
  'container-engine-refused': ({ address }) =>
    `this account may not use the container engine at ${address}; \`sudo usermod -aG docker $USER\`, then sign in again`,
  'container-engine-remote': ({ address }) =>
    `the container engine at ${address} is not on this machine; unset DOCKER_HOST, or run tierbench there`,
  'inside-container': () =>
    'tierbench runs in a container itself and cannot reach the ports of others; run it outside, or with the local provider',
  'process-only': ({ service }) => `${service} is a process of this machine, which needs the local provider`,
  'image-not-available': ({ image, detail }) =>
    `the image ${image} is not here and cannot be pulled (${detail}); \`docker pull ${image}\` where a registry can be reached, or use the local provider`,
});

const done = { kill: 'killed', pause: 'paused' } as const;
const cpusSharedBecause = {
  'one-cpu': 'there is only one CPU',
  'cpus-unknown': 'this system does not say which CPUs may be used',
  'no-taskset': 'there is no taskset (package util-linux)',
  'taskset-failed': 'taskset could not move the generator',
  'not-on-this-system': 'this operating system keeps no process to a CPU',
} as const;
const caches = {
  warm: 'Caches were warm: load that is not measured came before what is.',
  cold: 'Caches were cold when the first trial began: nothing was warmed up.',
  'pilot-only': 'Nothing was warmed up but by the pilot trial that found the arrival rates of a scenario.',
} as const;

/** What a reader should know of a run, a deployment or a trial. */
export const describeNote = describer<Note>({
  calibrated: ({ engine, ceilingPerS, ceilingIsAtLeast, floorP95S }) =>
    `against an echo the ${engine} engine makes ${ceilingIsAtLeast ? 'at least' : 'at most'} ${formatRate(ceilingPerS)} and reads a p95 of ${formatSeconds(floorP95S)}`,
  'not-calibrated': ({ engine }) =>
    `the ${engine} engine could not be calibrated: too little of what it sent to an echo was answered`,
  'provider-chosen': ({ obstacle }) =>
    obstacle === null
      ? 'tiers are started in containers: an engine answers, and every image can be had'
      : `tiers are started as local processes, not in containers: ${describeObstacle(obstacle)}`,
  'tier-not-run': ({ tier, obstacles }) =>
    `tier ${tier} is not run here: ${obstacles.map(describeObstacle).join('; ')}`,
  'tier-ended-early': ({ tier, detail }) => `tier ${tier} ended early: ${detail}`,
  'clean-up-failed': ({ detail }) => `while cleaning up: ${detail}`,
  'external-api': () => 'Where the API runs is not known to tierbench: the load generator has no CPU kept free for it.',
  'cpus-shared': ({ cause }) => `the load generator and the system share all CPUs: ${cpusSharedBecause[cause]}`,
  caches: ({ state }) => caches[state],
  'value-known': ({ subject, below, above, predictions }) =>
    `${subject} was not measured: between ${below} and ${above} it sustains ${list(predictions.map(({ scenario, lowPerS, highPerS }) => `${formatNumber(lowPerS)} to ${formatRate(highPerS)} of ${scenario}`))}, which is within the precision of a search`,
  'rates-unknown': ({ scenario, pilotLoad }) =>
    `No arrival rate of ${scenario} was measured: in the pilot trial at ${describeLoad(pilotLoad)} no iteration succeeded, so that none was known to be sustained; name the arrival rates.`,
  'trial-repeated': ({ scenario, load, attempts, valid }) =>
    `${scenario} at ${describeLoad(load)} was measured ${attempts} times, ${valid ? 'until it was valid' : 'and was invalid each time'}`,
  'container-engine': ({ version }) => `in containers of Docker Engine ${version}`,
  'limits-not-enforced': ({ service, limits, detail }) =>
    `limits of ${service} (${limitList(limits)}) are not enforced: ${detail ?? 'the container engine cannot enforce them'}`,
  'not-pinned': ({ cpus }) => `the services are not kept to CPUs ${cpus.join(', ')}: there is no taskset`,
  'published-by-proxy': () =>
    'the container engine forwards published ports through a process (docker-proxy), which costs more than half of the requests per second of a light endpoint; start the engine with `--userland-proxy=false` to measure without it',
  'prepared-statements-off': ({ service, version }) =>
    `${service}: ${version === null ? 'this PgBouncer' : `PgBouncer ${version}`} cannot keep named prepared statements in transaction mode (1.21 and later can), so max_prepared_statements is left out and the API prepares none`,
  'service-crashed': ({ instance, detail }) => `${instance} crashed: ${detail}`,
  'probe-failed': ({ probe, times, detail }) =>
    `probe ${probe} failed ${times === 1 ? 'once' : `${times} times`}: ${detail}`,
  'fault-timeout': ({ timeoutS }) =>
    `a request not answered within ${formatSeconds(timeoutS)} counts as a timeout in this trial, so that users do not wait for a silent service`,
  'fault-not-made': ({ kind, instance, detail }) => `${instance} could not be ${done[kind]}: ${detail}`,
  'fault-not-undone': ({ kind, instance, detail }) =>
    `${instance} did not come back after it was ${done[kind]}: ${detail}`,
});

/** `1 CPU, 512 MiB` */
function limitList({ cpus, memoryBytes }: { readonly cpus?: number; readonly memoryBytes?: number }): string {
  const texts = [
    ...(cpus === undefined ? [] : [cpus === 1 ? '1 CPU' : `${cpus} CPUs`]),
    ...(memoryBytes === undefined ? [] : [formatBytes(memoryBytes)]),
  ];
  return texts.join(', ');
}

/** What an operating system does without, as a list; empty for one that lacks nothing. */
export function describeLacks(found: readonly SystemLack[]): string {
  return found.map((lack) => lacks[lack]).join('; ');
}

const lacks: Readonly<Record<SystemLack, string>> = {
  'control-groups': 'limits on CPU and memory outside of containers',
  'cpu-placement': 'processes that are kept to CPUs',
  'thread-cpu': 'CPU time of single threads, time that the host took, and the run queue',
};
