import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { calibrated, workplaceForEach } from '../test-support/tierbench.ts';
import { exitCodes } from './output/streams.ts';

const place = workplaceForEach();

const small =
  '--tier single --provider local --quick --concurrency 3 --warm-up 0 --cool-down 0 --user-count 5 --tasks-per-user 10'.split(
    ' ',
  );
const resultsOf = async (folder: string) => {
  const read = async (name: string) => JSON.parse(await readFile(join(place.folder, folder, name), 'utf8'));
  const trials = await Promise.all(
    (await readdir(join(place.folder, folder, 'trials'))).map((name) => read(join('trials', name))),
  );
  return {
    study: await read('study.json'),
    facts: await read('facts.json'),
    subject: await read('subjects/single.json').catch(() => read('subjects/external.json')),
    status: await read('status.json'),
    report: await read('report.json'),
    trials,
  };
};

/** What the verdicts of a report stand for. */
function exitCodeOf({
  answer,
}: {
  readonly answer: { readonly subjects: readonly { readonly verdicts: readonly { verdict: { kind: string } }[] }[] };
}): number {
  const verdicts = new Set(answer.subjects.flatMap((tier) => tier.verdicts.map(({ verdict }) => verdict.kind)));
  if (verdicts.has('missed')) return exitCodes.missed;
  return verdicts.has('met') && !verdicts.has('inconclusive') ? exitCodes.met : exitCodes.inconclusive;
}

/** Of an API of somebody else nothing is judged: it is enough that something valid was measured. */
function withoutTargets(report: Awaited<ReturnType<typeof resultsOf>>['report']): number {
  const [tier] = report.answer.subjects;
  expect(tier.verdicts).toEqual([]);
  const trials: readonly { readonly valid: boolean }[] = tier.scenarios[0].trials;
  return trials.some(({ valid }) => valid) ? exitCodes.met : exitCodes.inconclusive;
}

/** A machine that others use makes trials invalid, and each is repeated. */
const timeout = 240_000;

describe('tierbench run', { timeout }, () => {
  it('starts the single tier, measures login, crud and mixed, and reports, without credentials and the same way again', async () => {
    const { exitCode, stdout, stderr } = await place.run(['run', ...small, '--duration', '2', '--out', 'out']);
    const { subject, status, report, trials } = await resultsOf('out');
    expect(exitCode, stderr).toBe(exitCodeOf(report));
    expect(status.state).toBe('finished');
    const measured = trials.filter(({ purpose }) => purpose === 'measure');
    // An invalid trial is repeated.
    const loads = new Set(measured.map(({ trial: { plan } }) => `${plan.scenario} ${plan.load.concurrency}`));
    expect([...loads].toSorted()).toEqual(['crud 3', 'login 3', 'mixed 3']);
    for (const { trial } of measured) {
      expect(trial.iterations.completed).toBeGreaterThan(0);
      expect(trial.iterations.failed).toBe(0);
    }
    expect(subject.services.map(({ kind }: { kind: string }) => kind).toSorted()).toEqual(['api', 'primary']);
    const sources = new Set(measured.flatMap(({ samples }) => samples.map(({ source }: { source: string }) => source)));
    expect([...sources].toSorted()).toEqual(expect.arrayContaining(['api/1', 'generator', 'machine']));
    expect(stdout).toContain('out/report.html');

    const entries = await readdir(join(place.folder, 'out'), { recursive: true, withFileTypes: true });
    const files = entries.filter((each) => each.isFile()).map(({ parentPath, name }) => join(parentPath, name));
    expect(files.filter((file) => file.includes('/charts/'))).not.toEqual([]);
    for (const file of files) {
      expect(await readFile(file, 'utf8'), file).not.toMatch(/postgres:\/\/|eyJhbGci|JWT_SECRET=/);
    }

    const reports = ['report.html', 'report.md', 'report.json'];
    const contents = () => Promise.all(reports.map((name) => readFile(join(place.folder, 'out', name), 'utf8')));
    const before = await contents();
    expect((await place.run(['report', 'out'])).exitCode).toBe(exitCodes.met);
    expect(await contents()).toEqual(before);
  });

  it('keeps what was measured on Ctrl-C, and takes everything down', async () => {
    const started = place.start(['run', ...small, '--duration', '600', '--scenario', 'login', '--out', 'out']);
    await started.said('trial 1 of');
    await started.said(/trial 1 of.*\n/);
    started.process.kill('SIGINT');
    const { exitCode, stderr } = await started.ended;
    expect(exitCode).toBe(1);
    expect(stderr).toContain('interrupted');
    const { status, trials } = await resultsOf('out');
    expect(status.state).toBe('interrupted');
    expect(trials.find(({ purpose }) => purpose === 'measure').trial.stopped).toBe(true);
  });

  it.each([
    ['the API', 'api'],
    ['the database', 'primary'],
  ])('says so when %s dies during a trial, and keeps what was measured', async (_, kind) => {
    const started = place.start(['run', ...small, '--duration', '600', '--scenario', 'crud', '--out', 'out']);
    await started.said('trial 1 of');
    const subject = JSON.parse(await readFile(join(place.folder, 'out', 'subjects', 'single.json'), 'utf8'));
    const service = subject.services.find((each: { kind: string }) => each.kind === kind);
    process.kill(service.instances[0].processIds[0], 'SIGKILL');
    const { exitCode, stderr } = await started.ended;
    expect(exitCode).toBe(1);
    expect(stderr).toContain('error SERVICE_ENDED:');
    expect(stderr).toContain('next:');
    expect(stderr).not.toMatch(/^ {4}at /m);
    const { status } = await resultsOf('out');
    expect(status).toMatchObject({ state: 'failed', code: 'SERVICE_ENDED' });
  });
});

describe('tierbench run --url', { timeout }, () => {
  let server: Server;
  let url: string;
  const seen: string[] = [];
  /** On a machine that has other work the server is late itself. */
  const servedS: number[] = [];

  beforeEach(async () => {
    seen.length = 0;
    servedS.length = 0;
    server = createServer((request, response) => {
      const fromMs = performance.now();
      seen.push(`${request.method} ${request.url}`);
      setTimeout(() => {
        servedS.push((performance.now() - fromMs) / 1000);
        response.end(JSON.stringify({ books: [{ id: 1 }] }));
      }, 100);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
    await writeFile(
      join(place.folder, 'mine.ts'),
      `import { defineScenario, send } from 'tierbench/scenarios';
       console.log('loaded');
       export default defineScenario({
         name: 'books',
         description: 'looks a book up',
         *iteration({ random }) {
           if (random() < 0.01) console.log('once in a while');
           yield* send({
             name: 'find a book', method: 'GET', path: '/books?q=' + Math.floor(random() * 1000),
             check: (response) => (response.json() as { books: unknown[] }).books.length === 1,
           });
         },
       });`,
    );
  });
  afterEach(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  it('measures any server with a scenario of the user: 100 ms read as 100 ms at every concurrency', async () => {
    const words = ['run', '--url', url, '--scenario', './mine.ts', '--out', 'out'];
    words.push(...'--concurrency 1,50 --duration 6 --warm-up 1 --cool-down 0'.split(' '));
    const { exitCode, stderr } = await place.run(words);
    expect(seen.every((line) => line.startsWith('GET /books?q=') || line === 'GET /')).toBe(true);
    const { report } = await resultsOf('out');
    expect(exitCode, stderr).toBe(withoutTargets(report));
    const trials = report.answer.subjects[0].scenarios[0].trials;
    expect(trials).toHaveLength(2);
    const slowestButOnePercentS = servedS.toSorted((a, b) => a - b)[Math.floor(0.99 * servedS.length)] ?? 0;
    for (const { latency, valid } of trials) {
      for (const { value, low } of [latency.p50S, latency.p95S].filter((each) => each !== null)) {
        expect(value).toBeGreaterThanOrEqual(0.1);
        // Where other work on the machine makes the generator late, the interval or the validity has to say so.
        if (valid) expect(low).toBeLessThanOrEqual(0.01 + slowestButOnePercentS);
      }
    }
    expect(trials.at(-1).latency.p95S).not.toBeNull();
  });

  it('searches the sustained rate by itself, and says that nothing is seen from here of what limits it', async () => {
    const words = ['run', '--url', url, '--scenario', './mine.ts', '--quick', '--json', '--quiet', '--out', 'out'];
    const { exitCode, stdout, stderr } = await place.run(words, calibrated);
    const { study, facts, subject, report, trials } = await resultsOf('out');
    // report.json, and nothing else.
    expect(JSON.parse(stdout)).toEqual(report);
    expect(exitCode, stderr).toBe(withoutTargets(report));
    expect(facts.settings).toMatchObject({ engine: 'open-loop' });
    expect(study.question).toMatchObject({ arrivalRatesPerS: null, arrivals: 'poisson', precisionRatio: 0.1 });
    expect(facts.calibration.ceilingPerS).toBeGreaterThan(0);
    const measured = trials.filter(({ purpose }) => purpose === 'measure').map(({ trial }) => trial);
    const loads = measured.map(({ plan }) => JSON.stringify({ scenario: 'books', load: plan.load }));
    expect(loads).toEqual(expect.arrayContaining(subject.planned.map((each: unknown) => JSON.stringify(each))));
    // 25 users who wait 100 ms make 250/s at most: the search begins there and goes up.
    const [first] = measured;
    expect(first?.plan.load.arrivalRatePerS).toBeLessThanOrEqual(0.85 * 250);
    expect(first?.iterations).toMatchObject({ dropped: 0, failed: 0 });
    const [{ sustainedRate, demands }] = report.answer.subjects[0].scenarios;
    expect(sustainedRate.lowPerS).toBeGreaterThan(0);
    expect(demands).toBeNull();
  });

  it('refuses a rate with an engine without open-loop load, and says why', async () => {
    const words = ['run', '--url', url, '--scenario', './mine.ts', '--rate', '50', '--engine', 'autocannon'];
    const { exitCode, stderr } = await place.run(words);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('--rate 50 does not go with --engine autocannon: autocannon sends the next request');
    expect(seen).toEqual([]);
  });

  it('stops before the load when the answers are wrong', async () => {
    const scenario = await readFile(join(place.folder, 'mine.ts'), 'utf8');
    await writeFile(join(place.folder, 'mine.ts'), scenario.replace('length === 1', 'length === 2'));
    const { exitCode, stderr } = await place.run(['run', '--url', url, '--scenario', './mine.ts', '--out', 'out']);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('error ANSWERS_WRONG:');
    expect(stderr).toContain("'find a book': wrong-answer");
  });
});
