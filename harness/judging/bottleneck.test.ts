import { describe, expect, it } from 'vitest';
import { madeUpTrial } from '../../test-support/made-up-trial.ts';
import type { MetricId } from '../core/metrics.ts';
import type { ProbeSample } from '../core/trial.ts';
import { referenceApp } from '../services/reference-app.ts';
import { serviceType } from '../services/registry.ts';
import { bottleneckOf } from './bottleneck.ts';

type Means = Readonly<Record<string, Readonly<Partial<Record<MetricId, number>>>>>;

const services = ['api', 'pooler', 'primary'].map((kind) => ({
  name: kind,
  resources: serviceType(kind, referenceApp).resources,
  connectsTo: { api: ['pooler'], pooler: ['primary'] }[kind] ?? [],
}));

/** Readings around the means, and others in the warm-up, which do not count. */
function samplesOf(means: Means): ProbeSample[] {
  return Object.entries(means).flatMap(([source, values]) =>
    Object.entries(values).flatMap(([name, value]) => {
      const metric = name as MetricId;
      return [
        { atS: -1, source, metric, value: 1000 },
        { atS: 1, source, metric, value: value * 0.9 },
        { atS: 2, source, metric, value: value * 1.1 },
      ];
    }),
  );
}

function limitOf(means: Means, systemCpus: number | null = null) {
  const found = bottleneckOf(madeUpTrial({ samples: samplesOf(means) }), { services, systemCpus });
  if ('unknown' in found) throw new Error(found.unknown);
  const name = (limit: typeof found.first) => limit && `${limit.kind} of ${limit.source}: ${limit.metric}`;
  return { ...found, first: name(found.first), next: name(found.next), firstLimit: found.first };
}

const idle = { 'cpu-cores': 0.1, 'cpu-limit': 1 };

describe('what limited a trial', () => {
  it.each<[what: string, means: Means, first: string | null, next: string | null]>([
    [
      'CPU of a service at its limit, then the next busiest service',
      { 'api/1': { 'cpu-cores': 0.97, 'cpu-limit': 1 }, 'primary/1': { 'cpu-cores': 0.8, 'cpu-limit': 2 } },
      'utilization of api/1: cpu-cores',
      'utilization of primary/1: cpu-cores',
    ],
    [
      'one thread of a program that works in one, however many CPUs it may use',
      { 'pooler/1': { 'cpu-cores': 0.99, 'cpu-limit': 8, 'main-thread': 0.98 }, 'primary/1': idle },
      'utilization of pooler/1: main-thread',
      'utilization of primary/1: cpu-cores',
    ],
    [
      'the CPU of the database, not the pool whose connections wait for it',
      {
        'api/1': { ...idle, 'pool-in-use': 10, 'pool-limit': 10, 'pool-waiting': 12 },
        'primary/1': { 'cpu-cores': 0.95, 'cpu-limit': 1 },
      },
      'utilization of primary/1: cpu-cores',
      'utilization of api/1: pool-in-use',
    ],
    [
      'the pool, where what is behind it has time left',
      { 'api/1': { ...idle, 'pool-in-use': 10, 'pool-limit': 10, 'pool-waiting': 12 }, 'primary/1': idle },
      'utilization of api/1: pool-in-use',
      'utilization of api/1: cpu-cores',
    ],
    [
      'locks, though the pool is used up meanwhile',
      {
        'api/1': { ...idle, 'pool-in-use': 10, 'pool-limit': 10, 'pool-waiting': 3 },
        'primary/1': { ...idle, 'waiting-for-lock': 9 },
      },
      'queue of primary/1: waiting-for-lock',
      'utilization of api/1: pool-in-use',
    ],
    [
      'a queue, where no utilization says why',
      { 'api/1': { ...idle, 'password-hashes-waiting': 40 } },
      'queue of api/1: password-hashes-waiting',
      null,
    ],
    [
      'a CPU limit that stopped a service before the mean reached it',
      { 'api/1': { 'cpu-cores': 0.75, 'cpu-limit': 1, throttled: 0.4 }, 'primary/1': idle },
      'utilization of api/1: cpu-cores',
      'utilization of primary/1: cpu-cores',
    ],
    [
      'a CPU limit that stopped a service in most of its periods, though less of it was used',
      { 'api/1': { 'cpu-cores': 0.6, 'cpu-limit': 1, throttled: 0.9 }, 'primary/1': idle },
      'utilization of api/1: cpu-cores',
      'utilization of primary/1: cpu-cores',
    ],
    [
      'the machine, where all together use it up',
      {
        machine: { 'machine-utilization': 0.97 },
        'api/1': { 'cpu-cores': 1, 'cpu-limit': 2 },
        'primary/1': { 'cpu-cores': 0.8, 'cpu-limit': 2 },
      },
      'utilization of machine: machine-utilization',
      'utilization of api/1: cpu-cores',
    ],
    [
      'the other instances of a service are not what comes next',
      {
        'api/1': { 'cpu-cores': 0.98, 'cpu-limit': 1 },
        'api/2': { 'cpu-cores': 0.97, 'cpu-limit': 1 },
        'primary/1': { 'cpu-cores': 0.5, 'cpu-limit': 1 },
      },
      'utilization of api/1: cpu-cores',
      'utilization of primary/1: cpu-cores',
    ],
    [
      'nothing, where all have time left',
      { 'api/1': { 'cpu-cores': 0.6, 'cpu-limit': 1, throttled: 0.01 }, 'primary/1': idle },
      null,
      'utilization of api/1: cpu-cores',
    ],
    [
      'nothing by what says nothing of its kind: memory, connections that are kept, one busy session',
      {
        'primary/1': {
          ...idle,
          memory: 99,
          'memory-limit': 100,
          connections: 99,
          'connections-limit': 100,
          'main-thread': 1,
        },
      },
      null,
      'utilization of primary/1: cpu-cores',
    ],
  ])('%s', (_, means, first, next) => {
    expect(limitOf(means)).toMatchObject({ first, next });
  });

  it('the CPUs that all share, where a service below its own limit waits for them', () => {
    const means = {
      'api/1': { 'cpu-cores': 0.72, 'cpu-limit': 1, 'event-loop-lag-p99': 0.05 },
      'primary/1': { 'cpu-cores': 0.26, 'cpu-limit': 1 },
    };
    expect(limitOf(means, 1).first).toBe('utilization of machine: cpu-cores');
    const stopped = { ...means, 'api/1': { ...means['api/1'], throttled: 0.4 } };
    expect(limitOf(stopped, 1).first).toBe('utilization of api/1: cpu-cores');
  });

  it('the generator, where it was used up: nothing follows for the system', () => {
    const samples = samplesOf({
      generator: { 'cpu-cores': 0.97, 'main-thread': 0.96 },
      'api/1': { 'cpu-cores': 0.95, 'cpu-limit': 1 },
    });
    const busy = madeUpTrial({ samples, generator: { utilizationRatio: 0.97 } });
    expect(bottleneckOf(busy, { services, systemCpus: null })).toMatchObject({
      first: { kind: 'utilization', source: 'generator', metric: 'main-thread' },
    });
  });

  it('connections of a database only where requests fail meanwhile', () => {
    const samples = samplesOf({ 'primary/1': { ...idle, connections: 36, 'connections-limit': 36 } });
    const first = (failedPerS: number) =>
      bottleneckOf(madeUpTrial({ samples, failedPerS }), { services, systemCpus: null });
    expect(first(0)).toMatchObject({ first: null });
    expect(first(20)).toMatchObject({ first: { source: 'primary/1', metric: 'connections' } });
  });

  it('the pool that is nearest to the database, of several in a row', () => {
    const found = limitOf({
      'api/1': { ...idle, 'pool-in-use': 10, 'pool-limit': 10, 'pool-waiting': 5 },
      'pooler/1': { 'cpu-cores': 0.1, 'servers-active': 2, 'servers-limit': 2, 'clients-waiting': 3 },
      'primary/1': idle,
    });
    expect(found).toMatchObject({ first: 'utilization of pooler/1: servers-active' });
  });

  it('says what makes the first dearer: rows that are scanned', () => {
    const found = limitOf({
      'primary/1': { 'cpu-cores': 0.98, 'cpu-limit': 1, 'rows-scanned': 5_000_000, 'rows-by-index': 1000 },
    });
    expect(found.because).toMatchObject([{ code: 'rows-scanned', source: 'primary/1' }]);
  });

  it('gives each its share of the CPUs of the machine', () => {
    const { cpuShares } = limitOf({
      machine: { 'machine-utilization': 0.85, cores: 4 },
      'api/1': { 'cpu-cores': 1, 'cpu-limit': 1 },
      'api/2': { 'cpu-cores': 1, 'cpu-limit': 1 },
      generator: { 'cpu-cores': 0.8 },
    });
    expect(cpuShares).toMatchObject([
      { name: 'api', ratio: expect.closeTo(0.5) },
      { name: 'generator', ratio: expect.closeTo(0.2) },
      { name: 'others', ratio: expect.closeTo(0.15) },
    ]);
  });

  it.each([
    [
      'the machine, where others use less than half of what the system does',
      0.55,
      'utilization of machine: machine-utilization',
    ],
    ['nothing, where others use more', 0.35, null],
  ])('%s', (_, ownRatio, first) => {
    const means = {
      machine: { 'machine-utilization': 0.98, cores: 2 },
      'api/1': { 'cpu-cores': 2 * ownRatio, 'cpu-limit': 2 },
      generator: { 'cpu-cores': 0.3 },
    };
    expect(limitOf(means).first).toBe(first);
  });

  it.each<[what: string, means: Means, isQueue: boolean]>([
    [
      'the machine has no CPU left for the one that writes',
      { machine: { 'machine-utilization': 0.99, cores: 2 } },
      false,
    ],
    ['a CPU limit stops the one that writes', { 'primary/1': { ...idle, throttled: 0.6 } }, false],
    ['CPU is left', { machine: { 'machine-utilization': 0.5, cores: 2 } }, true],
  ])('sessions that wait for the log say nothing of the disk where %s', (_, means, isQueue) => {
    const sessions = { 'waiting-for-wal': 0.5, 'connections-active': 1 };
    const found = limitOf({ ...means, 'primary/1': { ...idle, ...means['primary/1'], ...sessions }, 'api/1': idle });
    expect(found.queues.filter(({ metric }) => metric === 'waiting-for-wal')).toHaveLength(isQueue ? 1 : 0);
    const many = { 'waiting-for-wal': 7, 'connections-active': 8 };
    const slow = limitOf({ ...means, 'primary/1': { ...idle, ...means['primary/1'], ...many }, 'api/1': idle });
    expect(slow.queues).toContainEqual(expect.objectContaining({ metric: 'waiting-for-wal', waiting: 7 }));
  });

  it('the CPUs that the services are pinned to, while the machine has others', () => {
    const means = {
      machine: { 'machine-utilization': 0.6 },
      'api/1': { 'cpu-cores': 0.6, 'cpu-limit': 1 },
      'primary/1': { 'cpu-cores': 0.38, 'cpu-limit': 1 },
    };
    expect(limitOf(means).first).toBeNull();
    expect(limitOf(means, 1).firstLimit).toEqual({
      kind: 'utilization',
      source: 'machine',
      metric: 'cpu-cores',
      resource: 'cpu',
      used: expect.closeTo(0.98),
      limit: 1,
      ratio: expect.closeTo(0.98),
    });
  });

  it('gives utilization with its limit of each instance, and no queue below what an idle system shows', () => {
    const { utilizations, queues } = limitOf({
      'api/1': { 'cpu-cores': 1.5, 'cpu-limit': 2, 'pool-waiting': 0.4, 'event-loop-lag-p99': 0.03 },
      'primary/1': { ...idle, memory: 50, 'memory-limit': 100 },
      generator: { 'cpu-cores': 1, 'cpu-limit': 1 },
    });
    expect(utilizations).toMatchObject([
      { source: 'api/1', metric: 'cpu-cores', used: 1.5, limit: 2, ratio: 0.75 },
      { source: 'primary/1', metric: 'memory', used: 50, limit: 100, ratio: 0.5 },
      { source: 'primary/1', metric: 'cpu-cores', ratio: expect.closeTo(0.1) },
    ]);
    expect(queues).toMatchObject([{ source: 'api/1', metric: 'event-loop-lag-p99', waiting: 0.03 }]);
  });

  it('is unknown where nothing was read, or nothing of the system', () => {
    const unknown = (means: Means) =>
      bottleneckOf(madeUpTrial({ samples: samplesOf(means) }), { services, systemCpus: 1 });
    expect(unknown({})).toEqual({ unknown: 'no-samples' });
    expect(unknown({ generator: { 'cpu-cores': 1, 'cpu-limit': 1 } })).toEqual({ unknown: 'no-utilization' });
    expect(unknown({ machine: { 'machine-utilization': 0.3 } })).toEqual({ unknown: 'no-service' });
    expect(unknown({ 'api/1': { 'cpu-cores': 1 } })).not.toHaveProperty('unknown');
  });
});
