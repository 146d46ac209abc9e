import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { StudyFacts, SubjectFacts } from '../harness/core/study-record.ts';
import type { TrialRecord } from '../harness/core/trial.ts';
import { describeRecovery } from '../harness/judging/recovery.ts';
import { lacks } from '../test-support/requirements.ts';
import { workplaceForEach } from '../test-support/tierbench.ts';

const place = workplaceForEach();

const lacksServers = lacks('nginx') || lacks('pgbouncer') || lacks('redis');
/** Where no engine answers, `auto` comes to local processes. */
const noEngine = { DOCKER_HOST: 'unix:///nowhere/docker.sock' };

/** As short as a run can be. */
const words = (text: string) => [
  'run',
  ...`${text} --scenario crud --quick --concurrency 1 --warm-up 0 --cool-down 0`.split(' '),
  ...'--user-count 5 --tasks-per-user 10 --allow-missed --out out'.split(' '),
];

const read = async <T>(name: string): Promise<T> => JSON.parse(await readFile(join(place.folder, 'out', name), 'utf8'));
const factsOf = () => read<StudyFacts>('facts.json');
async function subjectsOf(): Promise<readonly SubjectFacts[]> {
  const { subjects } = await read<{ readonly subjects: readonly string[] }>('study.json');
  const written = await readdir(join(place.folder, 'out', 'subjects'));
  const known = subjects.filter((id) => written.includes(`${id}.json`));
  return Promise.all(known.map((id) => read<SubjectFacts>(join('subjects', `${id}.json`))));
}
async function trialsOf(): Promise<readonly TrialRecord[]> {
  const names = (await readdir(join(place.folder, 'out', 'trials'))).filter((name) => name.endsWith('.json'));
  return Promise.all(names.toSorted().map((name) => read<TrialRecord>(join('trials', name))));
}

it.skipIf(lacksServers || lacks('control groups'))(
  'measures all tiers one after the other, each service held to its CPUs, as local processes where there is no engine (needs nginx, pgbouncer, redis, control groups)',
  { timeout: 240_000 },
  async () => {
    const { exitCode, stderr } = await place.run(words('--duration 1'), noEngine);
    expect(exitCode, stderr).toBe(0);
    expect(stderr).toContain('tiers are started as local processes, not in containers');
    const { settings, placement } = await factsOf();
    const tiers = await subjectsOf();
    expect(settings.provider).toBe('auto');
    expect(tiers.map(({ tier, provider, notRun, endedEarly }) => [tier.name, provider, notRun, endedEarly])).toEqual(
      ['single', 'pooled', 'replicated', 'cached'].map((name) => [name, 'local', [], null]),
    );
    for (const { notes } of tiers) expect(notes).toContainEqual({ code: 'caches', state: 'cold' });
    if (placement === null) expect(tiers[0]?.notes).toContainEqual(expect.objectContaining({ code: 'cpus-shared' }));
    else expect(placement.systemCpus).not.toContain(placement.generatorCpus[0]);
    for (const { tier, services } of tiers) {
      for (const { name, instances } of services) {
        const cpus = tier.services.find((service) => service.name === name)?.resources.cpus;
        expect(cpus, name).toBeGreaterThan(0);
        for (const { limits } of instances) expect(limits?.cpus, name).toBe(cpus);
      }
    }
    const trials = await trialsOf();
    expect(trials.map(({ subject, sequence }) => `${sequence} ${subject}`)).toEqual([
      '1 single',
      '2 pooled',
      '3 replicated',
      '4 cached',
    ]);
    for (const { trial } of trials) expect(trial.iterations.failed).toBe(0);
  },
);

it('says of each tier why it is not run, and fails when none is', async () => {
  const { exitCode, stderr } = await place.run(words('--duration 1 --provider containers'), noEngine);
  expect(exitCode).toBe(1);
  expect(stderr).toContain('error NO_TIER_CAN_RUN:');
  const tiers = await subjectsOf();
  const unreachable = expect.arrayContaining([expect.objectContaining({ code: 'container-engine-not-reachable' })]);
  expect(tiers.map(({ tier, notRun }) => [tier.name, notRun])).toEqual(
    ['single', 'pooled', 'replicated', 'cached'].map((name) => [name, unreachable]),
  );
});

it.skipIf(lacksServers)(
  'goes on with the next tier when a service dies, and fails in the end (needs nginx, pgbouncer, redis)',
  { timeout: 180_000 },
  async () => {
    const started = place.start(words('--tier single,pooled --provider local --duration 3'));
    await started.said('trial 1 of');
    const tiers = await subjectsOf();
    const database = tiers[0]?.services.find(({ kind }) => kind === 'primary');
    process.kill(database?.instances[0]?.processIds[0] ?? Number.NaN, 'SIGKILL');
    const { exitCode, stderr } = await started.ended;
    expect(exitCode).toBe(1);
    expect(stderr).toContain('tier single ended early: database/1 crashed');
    expect(stderr.match(/error SERVICE_ENDED:/g)).toHaveLength(1);
    const after = await subjectsOf();
    expect(after.map(({ endedEarly }) => endedEarly?.errorCode)).toEqual(['SERVICE_ENDED', undefined]);
    const [first, ...others] = await trialsOf();
    const crash = expect.objectContaining({ code: 'service-crashed', instance: 'database/1' });
    // The probe of the database may fail as well: it sees the crash from its own connection.
    expect(first).toMatchObject({ subject: 'single', trial: { stopped: true } });
    expect(first?.notes).toContainEqual(crash);
    // An invalid trial is repeated.
    expect(others.length).toBeGreaterThan(0);
    for (const other of others) {
      expect(other).toMatchObject({ subject: 'pooled', trial: { stopped: false } });
      expect(other.notes).not.toContainEqual(expect.objectContaining({ code: 'service-crashed' }));
    }
  },
);

it('kills the database under load, sees the errors, and has it back', { timeout: 180_000 }, async () => {
  const { exitCode, stderr } = await place.run(
    words('--tier single --provider local --duration 1 --fault kill:database'),
  );
  expect(exitCode, stderr).toBe(0);
  const fault = (await trialsOf()).find(({ purpose }) => purpose === 'fault');
  if (fault === undefined) throw new Error('no trial with a fault');
  expect(fault.fault).toMatchObject({ kind: 'kill', instance: 'database/1' });
  const recovery = describeRecovery(fault);
  expect(recovery.fault.undoneAtS).toBeGreaterThan(recovery.fault.atS);
  expect(recovery.before.failures).toEqual({});
  expect(Object.keys(recovery.during.failures)).not.toEqual([]);
  // How soon is the system's business; that it does, is what a run must survive.
  expect(recovery.after?.succeeded).toBeGreaterThan(0);
});

it.skipIf(lacksServers)(
  'stops everything on Ctrl-C while a later tier starts, and keeps what was measured (needs nginx, pgbouncer, redis)',
  { timeout: 180_000 },
  async () => {
    const started = place.start(words('--tier single,cached --provider local --duration 2'));
    await started.said('cached: starting replica');
    started.process.kill('SIGINT');
    const { exitCode, stderr } = await started.ended;
    expect(exitCode).toBe(1);
    expect(stderr).toContain('interrupted');
    expect(await read('status.json')).toMatchObject({ state: 'interrupted' });
    expect((await trialsOf()).map(({ subject, trial }) => [subject, trial.stopped])).toEqual([['single', false]]);
  },
);

it.skipIf(lacksServers)(
  'takes all down on Ctrl-C while a service is paused on purpose (needs nginx, pgbouncer, redis)',
  { timeout: 180_000 },
  async () => {
    const started = place.start(words('--tier cached --provider local --duration 1 --fault pause:database'));
    await started.said(/trial 1 of 1.*\n/);
    const tiers = await subjectsOf();
    const database = tiers[0]?.services.find(({ kind }) => kind === 'primary')?.instances[0]?.processIds[0];
    const state = async () => (await readFile(`/proc/${database}/stat`, 'utf8')).split(') ')[1]?.[0];
    await expect.poll(state, { timeout: 60_000 }).toBe('T');
    started.process.kill('SIGINT');
    expect((await started.ended).exitCode).toBe(1);
    const fault = (await trialsOf()).find(({ purpose }) => purpose === 'fault');
    expect(fault).toMatchObject({ fault: { kind: 'pause', undoneAtS: null }, trial: { stopped: true } });
  },
);
