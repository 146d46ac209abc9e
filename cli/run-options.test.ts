import { describe, expect, it } from 'vitest';
import { TierbenchError } from '../harness/core/errors.ts';
import { readTargets } from '../harness/files/target-file.ts';
import { builtInTiers, readTier } from '../harness/files/tier-file.ts';
import { judgeTrial } from '../harness/judging/judge-trial.ts';
import { run } from '../harness/studies/run/run.ts';
import { lengthS, type Step } from '../harness/studies/study.ts';
import { madeUpTrial } from '../test-support/made-up-trial.ts';
import { programFor } from '../test-support/requirements.ts';
import { app } from './app.ts';
import { chooseEngine } from './choose-engine.ts';
import { arrivalsOf, engineNames } from './load-options.ts';
import { readRunOptions, type TypedRunOptions } from './run-options.ts';

function problemsOf(typed: TypedRunOptions): string[] {
  try {
    readRunOptions(typed);
  } catch (error) {
    if (error instanceof TierbenchError)
      return error.problems.map(({ what, nextStep }) => `${what}; ${nextStep ?? ''}`);
    throw error;
  }
  return [];
}

describe('readRunOptions', () => {
  it('measures all tiers, wherever they can run, by arrival rates it finds itself, when nothing is said', () => {
    const { tiers, question, settings } = readRunOptions({});
    expect(tiers).toBeUndefined();
    expect(settings).toMatchObject({ provider: 'auto', engine: 'open-loop', workers: 1 });
    expect(question.scenarios).toEqual(['login', 'crud', 'mixed', 'browse']);
    expect(question).toMatchObject({ arrivalRatesPerS: null, arrivals: 'poisson', concurrencies: null, faults: [] });
  });

  it('measures what was typed, and nothing else', () => {
    const loads = (typed: TypedRunOptions) => {
      const { arrivalRatesPerS, arrivals, concurrencies } = readRunOptions(typed).question;
      return [arrivalRatesPerS, arrivals, concurrencies];
    };
    expect(loads({ rate: '500,1.5,500' })).toEqual([[1.5, 500], 'poisson', []]);
    expect(loads({ concurrency: '10' })).toEqual([[], 'poisson', [10]]);
    expect(loads({ rate: '20', concurrency: '10', arrivals: 'constant' })).toEqual([[20], 'constant', [10]]);
    expect(loads({ arrivals: 'constant' })).toEqual([null, 'constant', null]);
  });

  it('makes targets of what was typed, and refuses what is none, all at once', () => {
    expect(readRunOptions({}).targets).toEqual([]);
    const { targets } = readRunOptions({ p95: '200ms', errors: '0.1 %' });
    expect(targets).toMatchObject([
      { id: 'p95', value: 0.2, unit: 's', judged: { by: 'measured', metric: 'latency-p95', each: 'step' } },
      { id: 'errors', value: 0.001, unit: 'ratio', judged: { by: 'measured', metric: 'error-ratio' } },
    ]);
    expect(targets.map(({ source }) => source.document)).toEqual(['command line', 'command line']);
    for (const p95 of ['', '200', 'fast', '-1ms', '0ms', '5%', '2h']) expect(problemsOf({ p95 })).toHaveLength(1);
    for (const errors of ['', '0.1', '200ms', '0%', '100%']) expect(problemsOf({ errors })).toHaveLength(1);
    expect(problemsOf({ p95: '1%', errors: '1s', duration: '0' })).toHaveLength(3);
  });

  it('reads stages, and refuses them beside other loads and with engines that offer no arrivals', () => {
    const { question } = readRunOptions({ stages: '0:50, 60s:200,120:50' });
    expect(question).toMatchObject({
      stages: [
        { atS: 0, ratePerS: 50 },
        { atS: 60, ratePerS: 200 },
        { atS: 120, ratePerS: 50 },
      ],
      arrivalRatesPerS: [],
      concurrencies: [],
    });
    expect(problemsOf({ stages: '0:5,9:50', rate: '5', concurrency: '1', duration: '5' })).toHaveLength(3);
    expect(problemsOf({ stages: '0:5,9:50', engine: 'autocannon' })).toHaveLength(1);
    for (const stages of ['0:5', '1:5,9:50', '0:5,9:50,3:5', '0:5,0:9']) expect(problemsOf({ stages })).toHaveLength(1);
    expect(problemsOf({ stages: '0:5,9:50:1' })).toHaveLength(1);
    expect(problemsOf({ stages: '0:5,x:0' }).length).toBeGreaterThan(0);
  });

  it('measures concurrencies with an engine that offers no arrival rates', () => {
    const { question } = readRunOptions({ engine: 'autocannon' });
    expect(question).toMatchObject({ arrivalRatesPerS: [], scenarios: ['login', 'crud', 'mixed', 'browse'] });
    expect(question.concurrencies).toContain(100);
  });

  it('knows the arrivals of each engine before it is loaded', async () => {
    await using cleanUp = new AsyncDisposableStack();
    for (const name of engineNames.filter((each) => each !== 'k6' || programFor('k6') !== undefined)) {
      const engine = await chooseEngine(name, {
        workers: 1,
        folder: '',
        temporaryFolder: '',
        k6Path: undefined,
        environment: {},
        signal: new AbortController().signal,
        note: () => {},
        cleanUp,
      });
      expect([...engine.arrivals].toSorted()).toEqual([...arrivalsOf[name]].toSorted());
    }
  });

  it('takes tiers in the order they were typed', () => {
    expect(readRunOptions({ tier: 'cached, ./mine.yaml,single' }).tiers).toEqual(['cached', './mine.yaml', 'single']);
  });

  it('leaves two of the eight minutes of a quick run for starting all tiers, their data and signing in', async () => {
    const { question, settings } = readRunOptions({ quick: true });
    const tiers = await Promise.all((await builtInTiers()).map((name) => readTier(name)));
    expect(tiers).toHaveLength(4);
    const context = {
      scenarios: new Map(
        question.scenarios.map((name) => [name, { name, hasThinkTime: false, hasUserSetup: name !== 'login' }]),
      ),
      targets: await readTargets(),
      userCount: 1000,
      coolDownS: settings.coolDownS,
    };
    /** A small system sustains 300 iterations a second. */
    const answer = (step: Step) => {
      if (step.kind !== 'trial') return undefined;
      const offeredPerS = step.load.model === 'open' ? Math.round(step.load.arrivalRatePerS) : 300;
      const okPerS = Math.min(300, offeredPerS);
      const { load, durationS: measuredS } = step;
      return judgeTrial(madeUpTrial({ load, measuredS, okPerS, droppedPerS: offeredPerS - okPerS }), null);
    };
    let longestS = (tiers.length - 1) * settings.coolDownS;
    for (const tier of tiers) {
      const walker = run.steps([{ id: tier.name, tier, app }], question, context);
      for (let next = walker.next(); !next.done; next = walker.next(answer(next.value))) {
        longestS += lengthS(next.value);
      }
    }
    expect(longestS).toBeLessThanOrEqual(6 * 60);
    // Shorter ones would be too few seconds for a verdict.
    expect(question.durationS).toBeGreaterThanOrEqual(5);
  });

  it('reads faults, several at once or one after the other', () => {
    expect(readRunOptions({ fault: ['kill:cache, pause:api/2', 'kill:database'] }).question.faults).toEqual([
      { kind: 'kill', service: 'cache' },
      { kind: 'pause', service: 'api/2' },
      { kind: 'kill', service: 'database' },
    ]);
    expect(readRunOptions({ faults: true }).question.faults).toEqual([
      { kind: 'kill', service: null },
      { kind: 'pause', service: null },
    ]);
  });

  it('names every problem of faults at once', () => {
    const problems = problemsOf({ fault: ['kil:cache,cache', 'pause:'] });
    expect(problems).toHaveLength(3);
    expect(problems.join('\n')).toContain("Did you mean 'kill'?");
    expect(problems.join('\n')).toContain('kill:cache');
  });

  it('reads a mix, and names all its problems at once', () => {
    expect(readRunOptions({}).mix).toEqual({ browse: 80, crud: 15, login: 5 });
    expect(readRunOptions({ mix: 'login=1, browse = 2.5' }).mix).toEqual({ browse: 2.5, crud: 0, login: 1 });
    for (const file of ['./mix', 'mix.yaml', '/a=1/b.yml']) expect(readRunOptions({ mix: file }).mix).toEqual({ file });
    expect(problemsOf({ mix: 'brose=1,crud,login=-2,login=1,crud=1=2' })).toEqual([
      expect.stringMatching(/'brose'.*Did you mean 'browse'\?/),
      expect.stringContaining("'crud'"),
      expect.stringContaining("'-2'"),
      expect.stringContaining('login twice'),
      expect.stringContaining("'crud=1=2'"),
    ]);
    for (const mix of ['', 'browse=0', 'browse=', 'browse=NaN', 'browse=Infinity', 'nofile', 'toString=1'])
      expect(problemsOf({ mix }), mix).toHaveLength(1);
    expect(problemsOf({ mix: 'browse=1', scenario: 'crud' })).toHaveLength(1);
  });

  it('sorts concurrencies and takes each once', () => {
    expect(readRunOptions({ concurrency: '10, 1,10,5' }).question.concurrencies).toEqual([1, 5, 10]);
  });

  it('takes seconds with and without their unit', () => {
    expect(readRunOptions({ duration: '12s', warmUp: '0.5 s' }).question).toMatchObject({
      durationS: 12,
      warmUpS: 0.5,
    });
  });

  it('names every problem at once', () => {
    const problems = problemsOf({
      engine: 'autocanon',
      duration: 'ten',
      concurrency: '1,0,x',
      seed: '-1',
      timeout: '',
    });
    expect(problems).toHaveLength(6);
    expect(problems.join('\n')).toContain("Did you mean 'autocannon'?");
    expect(problems.join('\n')).toContain("--duration must be a number from 1 to 86400, but is 'ten'");
  });

  it.each([
    [{ url: 'http://127.0.0.1:1', tier: 'single' }, 'exclude each other'],
    [{ url: 'localhost:80' }, 'does not start with http'],
    [{ url: 'http://me:secret@127.0.0.1' }, 'contains a user name or password'],
    [{ provider: 'url' }, 'needs --url'],
    [{ url: 'http://127.0.0.1:1', provider: 'local' }, 'does not go with --url'],
    [{ users: './users.yaml' }, '--users goes with --url only'],
    [{ allowRemote: true }, '--allow-remote goes with --url only'],
    [{ cacert: './authorities.pem' }, '--cacert goes with --url only'],
    [{ insecure: true }, '--insecure goes with --url only'],
    [{ url: 'https://127.0.0.1:1', cacert: './a.pem', insecure: true }, '--cacert and --insecure exclude each other'],
    [{ url: 'http://127.0.0.1:0' }, 'port 0'],
    [{ userCount: '50', concurrency: '1,100' }, 'less than the highest concurrency, 100'],
    [
      { engine: 'autocannon', rate: '500' },
      '--rate 500 does not go with --engine autocannon: autocannon sends the next',
    ],
    [{ engine: 'autocannon', arrivals: 'poisson' }, '--arrivals poisson does not go with --engine autocannon'],
    [{ arrivals: 'poisson', concurrency: '10' }, 'with --concurrency alone nothing arrives'],
    [{ arrivals: 'uniform' }, "--arrivals 'uniform' is unknown"],
    [{ rate: '0' }, '--rate must be a number from 0.01'],
    [{ rate: ' , ' }, '--rate names no number'],
    [{ engine: 'k6', workers: '2' }, '--workers 2 does not go with --engine k6'],
    [{ engine: 'k6', arrivals: 'poisson' }, "k6's arrivals are evenly spaced"],
    [{ k6: '/usr/bin/k6' }, '--k6 /usr/bin/k6 goes with --engine k6 only'],
    [{ scenario: ' , ' }, 'names no scenario'],
    [{ tier: ' , ' }, 'names no tier'],
    [{ url: 'http://127.0.0.1:1', fault: ['kill:api'] }, '--fault does not go with --url'],
    [{ url: 'http://127.0.0.1:1', faults: true }, '--faults does not go with --url'],
    [{ url: 'http://127.0.0.1:1', installMissing: true }, '--install-missing does not go with --url'],
    [{ url: 'http://127.0.0.1:1', tasksPerUser: '5' }, '--tasks-per-user does not go with --url'],
    [{ url: 'http://127.0.0.1:1', provider: 'auto' }, 'does not go with --url'],
  ] as const)('refuses %j', (typed, message) => {
    expect(problemsOf(typed).join('\n')).toContain(message);
  });

  it('never repeats a password of an address', () => {
    expect(problemsOf({ url: 'http://me:s3cretword@127.0.0.1' }).join('\n')).not.toContain('s3cretword');
  });
});
