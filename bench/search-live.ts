import { type QueueSettings, startQueueServer } from '../harness/contracts/engines/queue-server.ts';
import oneRequest from '../harness/contracts/engines/scenarios/one-request.ts';
import type { OfferedLoad } from '../harness/core/load.ts';
import type { RunQuestion } from '../harness/core/run.ts';
import { openLoopEngine } from '../harness/engines/open-loop/open-loop.ts';
import { judgeTrial } from '../harness/judging/judge-trial.ts';
import { readPilot } from '../harness/judging/pilot.ts';
import { type RateGoal, searchEvidence } from '../harness/judging/rate-goals.ts';
import { type RateBracket, searchSustainedRate } from '../harness/models/sustained-rate-search.ts';
import { probesFor } from '../harness/probes/choose.ts';
import { measure } from '../harness/studies/measure.ts';
import { searchSettings, searchWarmUpS } from '../harness/studies/run/search-rate.ts';

/** Searches of servers on this machine that sustain 250/s of constant arrivals, by the engine of a run. */

const CAPACITY_PER_S = 250;
const LIMIT_S = 0.2;
const PILOT_S = 5;
const AT_ONCE = 4;
/** What others take of the machine, so that it does not count against the server. */
const probes = probesFor({ services: [], probes: [] }, async () => undefined);
const never = new AbortController().signal;

const servers: Readonly<Record<string, QueueSettings>> = {
  'first in, first out': { queue: 'fifo', serviceTimesS: [1 / CAPACITY_PER_S] },
  'token bucket': { queue: 'unlimited', serviceTimesS: [0.005], tokens: { ratePerS: CAPACITY_PER_S, burst: 25 } },
};

const goal: RateGoal = {
  id: 'p95',
  target: null,
  allowedRatio: 0.05,
  countsIn({ answers: { all } }, { lagS, beyondRatio }) {
    const { histogram } = all.latency;
    let slower = 0;
    for (const { valueS, count } of histogram.buckets()) if (valueS > LIMIT_S + lagS) slower += count;
    const beyondLag = Math.ceil(beyondRatio * histogram.count);
    return { bad: Math.max(0, slower - beyondLag) + all.requests.failed, all: all.requests.all };
  },
};

async function searchOnce(settings: QueueSettings, question: RunQuestion, seed: number): Promise<RateBracket> {
  await using server = await startQueueServer(settings);
  const users = Array.from({ length: 2000 }, (_, index) => ({ index }));
  let sequence = 0;
  const trialAt = async (load: OfferedLoad, warmUpS: number, durationS: number) => {
    const plan = { scenario: oneRequest.name, baseUrl: server.baseUrl, load, warmUpS, durationS, seed, timeoutS: 10 };
    return await measure(openLoopEngine(), { plan, scenario: oneRequest, users }, probes, never).then((measurement) => {
      sequence += 1;
      return judgeTrial({ ...measurement, sequence, subject: 'known', purpose: 'measure' }, null);
    });
  };
  const pilot = readPilot((await trialAt({ model: 'closed', concurrency: 25 }, 0, PILOT_S)).record.trial);
  if (pilot === undefined) throw new Error('the server answered nothing');
  const search = searchSustainedRate(searchSettings(question, [goal], pilot, []));
  let next = search.next();
  while (next.done !== true) {
    const { ratePerS: arrivalRatePerS, durationS } = next.value;
    const load = { model: 'open', arrivalRatePerS, arrivals: 'constant' } as const;
    next = search.next(searchEvidence(await trialAt(load, searchWarmUpS(question), durationS), [goal]));
  }
  return next.value;
}

/** A line of the table for each server, as they come. */
export async function searchLive(question: RunQuestion, searches: number): Promise<void> {
  console.log('| server | true rate in the bracket | an end was not found | width in the median |');
  console.log('| --- | --- | --- | --- |');
  for (const [name, settings] of Object.entries(servers)) {
    const brackets: RateBracket[] = [];
    for (let from = 0; from < searches; from += AT_ONCE) {
      const seeds = Array.from({ length: Math.min(AT_ONCE, searches - from) }, (_, index) => from + index + 1);
      brackets.push(...(await Promise.all(seeds.map((seed) => searchOnce(settings, question, seed)))));
    }
    const right = brackets.filter(
      ({ lowPerS, highPerS }) =>
        (lowPerS ?? 0) <= CAPACITY_PER_S && (highPerS ?? Number.POSITIVE_INFINITY) >= CAPACITY_PER_S,
    );
    const widths = brackets
      .flatMap(({ lowPerS, highPerS }) => (lowPerS === null || highPerS === null ? [] : [highPerS / lowPerS - 1]))
      .toSorted((one, other) => one - other);
    const median = widths[Math.floor(widths.length / 2)];
    const width = median === undefined ? '–' : `${(100 * median).toFixed(0)} %`;
    console.log(`| ${name} | ${right.length} of ${searches} | ${searches - widths.length} | ${width} |`);
  }
}
