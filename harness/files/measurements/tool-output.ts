import { z } from 'zod';
import type { Problem } from '../../core/errors.ts';
import type { ConcurrencyPoint, RatePoint } from '../../core/measured-curve.ts';
import type { ReadPoints } from './csv.ts';

/** One output of a load generator: a point of closed-loop or of open-loop load, or why it is none. */
type Point = { readonly concurrency: ConcurrencyPoint } | { readonly rate: RatePoint } | { readonly problem: string };

interface Output {
  readonly line: number;
  readonly point: Point;
}

/** Null where the text is the output of no known load generator. */
export function readToolOutput(text: string, path: string): ReadPoints | null {
  const outputs = text.trimStart().startsWith('{') ? jsonOutputs(text) : textOutputs(text);
  if (outputs === null) return null;
  return {
    concurrency: outputs.flatMap(({ point }) => ('concurrency' in point ? [point.concurrency] : [])),
    rate: outputs.flatMap(({ point }) => ('rate' in point ? [point.rate] : [])),
    problems: outputs.flatMap(({ line, point }): Problem[] =>
      'problem' in point ? [{ file: path, line, what: point.problem }] : [],
    ),
  };
}

/** Documents one after the other: a line each, or each over many lines. */
function jsonOutputs(text: string): readonly Output[] {
  const outputs: Output[] = [];
  let line = 1;
  let end = 0;
  for (const start of text.matchAll(/\S/gu).map(({ index }) => index)) {
    if (start < end) continue;
    line += linesIn(text.slice(end, start));
    const from = start;
    end = endOfObject(text, from);
    outputs.push({ line, point: jsonPoint(text.slice(from, end)) });
    line += linesIn(text.slice(from, end));
    if (outputs.length >= MOST_OUTPUTS) break;
  }
  return outputs;
}

/** More would be no measurements. */
const MOST_OUTPUTS = 10_000;

function linesIn(text: string): number {
  return text.split('\n').length - 1;
}

/** Behind the bracket that closes the object; the end of the text where none does. */
function endOfObject(text: string, start: number): number {
  let depth = 0;
  let isText = false;
  for (let at = start; at < text.length; at += 1) {
    const letter = text[at];
    if (isText) {
      if (letter === '\\') at += 1;
      else if (letter === '"') isText = false;
    } else if (letter === '"') isText = true;
    else if (letter === '{') depth += 1;
    else if (letter === '}') {
      depth -= 1;
      if (depth === 0) return at + 1;
    } else if (depth === 0) break;
  }
  return text.length;
}

const above = z.number().positive().max(1e15);
const trend = z.object({ avg: above, 'p(95)': above.optional() });
const rate = z.object({ rate: above });
/** `--summary-export`, and `data` of handleSummary, where each metric has its `values` in a group of their own. */
const k6 = z.object({
  metrics: z
    .record(z.string(), z.unknown())
    .transform((metrics) => Object.fromEntries(Object.entries(metrics).map(([name, value]) => [name, valuesOf(value)])))
    .pipe(
      z.object({
        http_reqs: rate,
        http_req_duration: trend,
        iterations: rate,
        iteration_duration: trend,
        vus_max: z.object({ value: above }),
      }),
    ),
});
const autocannon = z.object({
  connections: above,
  requests: z.object({ average: above }),
  latency: z.object({ average: above }),
  '2xx': z.number().nonnegative(),
  non2xx: z.number().nonnegative(),
});
const oha = z.object({ summary: z.object({ requestsPerSec: above, average: above }) });
const vegeta = z.object({
  rate: above,
  success: z.number().nonnegative().max(1),
  latencies: z.object({ '95th': above }),
});

/** VUs that are busy less than this share of the time wait for arrivals: an arrival-rate executor. */
const BUSY = 0.8;

function jsonPoint(text: string): Point {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { problem: 'this is not valid JSON' };
  }
  const has = (key: string) => typeof value === 'object' && value !== null && key in value;
  if (has('metrics')) {
    return pointOf('k6', k6, value, ({ metrics }) => {
      const throughputPerS = metrics.http_reqs.rate;
      const busy = (metrics.iterations.rate * metrics.iteration_duration.avg) / 1000;
      const vus = metrics.vus_max.value;
      const p95Ms = metrics.http_req_duration['p(95)'];
      if (busy >= BUSY * vus) {
        const latencyS = metrics.http_req_duration.avg / 1000;
        return { concurrency: { concurrency: vus, throughputPerS, latencyS } };
      }
      return p95Ms === undefined
        ? { problem: 'the k6 summary has no p(95) of http_req_duration' }
        : { rate: { ratePerS: throughputPerS, p95S: p95Ms / 1000 } };
    });
  }
  if (has('connections')) {
    return pointOf('autocannon', autocannon, value, ({ connections, requests, latency, non2xx, ...counts }) => {
      const share = counts['2xx'] / Math.max(1, counts['2xx'] + non2xx);
      return closedLoop(connections, requests.average * share, latency.average / 1000);
    });
  }
  if (has('latencies')) {
    return pointOf('vegeta', vegeta, value, ({ rate: ratePerS, success, latencies }) =>
      success < 1 - MOST_FAILED
        ? { problem: `only ${Math.round(success * 100)} of 100 requests were successful` }
        : { rate: { ratePerS, p95S: latencies['95th'] / 1e9 } },
    );
  }
  if (has('summary')) {
    // Neither oha nor hey prints its concurrency: it is throughput times mean latency (Little's law).
    return pointOf('oha', oha, value, ({ summary: { requestsPerSec, average } }) =>
      closedLoop(requestsPerSec * average, requestsPerSec, average),
    );
  }
  return { problem: 'this JSON is not the output of k6, autocannon, oha or vegeta' };
}

/** Failed requests are often faster, and so say nothing of a rate. */
const MOST_FAILED = 0.05;

function pointOf<T>(tool: string, schema: z.ZodType<T>, value: unknown, point: (output: T) => Point): Point {
  const result = schema.safeParse(value);
  if (result.success) return point(result.data);
  const places = new Set(result.error.issues.map(({ path }) => path.map(String).join('.')));
  return { problem: `the output of ${tool} has no usable ${[...places].slice(0, 5).join(', ')}` };
}

function valuesOf(metric: unknown): unknown {
  return typeof metric === 'object' && metric !== null && 'values' in metric ? metric.values : metric;
}

function closedLoop(concurrency: number, throughputPerS: number, latencyS: number): Point {
  return throughputPerS > 0 && latencyS > 0
    ? { concurrency: { concurrency, throughputPerS, latencyS } }
    : { problem: 'no request was successful' };
}

const secondsIn: Readonly<Record<string, number>> = { us: 1e-6, ms: 1e-3, s: 1, sec: 1, secs: 1, m: 60, h: 3600 };

/** wrk begins with `Running 30s test @ URL`; hey and oha with `Summary:`. */
function textOutputs(text: string): readonly Output[] | null {
  const starts = [...text.matchAll(/^(?:Running .* test @|Summary:)/gmu)].map(({ index }) => index);
  if (starts.length === 0) return null;
  let line = 1 + linesIn(text.slice(0, starts[0]));
  return starts.slice(0, MOST_OUTPUTS).map((start, index) => {
    const part = text.slice(start, starts[index + 1]);
    const own = line;
    line += linesIn(part);
    return { line: own, point: part.startsWith('Running') ? wrkPoint(part) : heyPoint(part) };
  });
}

function wrkPoint(text: string): Point {
  const connections = numberIn(text, /and ([\d.]+) connections/u);
  const requestsPerS = numberIn(text, /^Requests\/sec:\s+([\d.]+)/mu);
  const requests = numberIn(text, /([\d.]+) requests in/u);
  const failed = numberIn(text, /Non-2xx or 3xx responses: ([\d.]+)/u) ?? 0;
  const latencyS = durationIn(text, /^\s+Latency\s+([\d.]+)([a-z]+)/mu);
  if (connections === null || requestsPerS === null || requests === null || latencyS === null) {
    return { problem: 'the output of wrk has no connections, requests or latency' };
  }
  return closedLoop(connections, requestsPerS * (1 - failed / Math.max(1, requests)), latencyS);
}

function heyPoint(text: string): Point {
  const requestsPerS = numberIn(text, /Requests\/sec:\s+([\d.]+)/u);
  const latencyS = durationIn(text, /Average:\s+([\d.]+)\s*([a-z]+)/u);
  if (requestsPerS === null || latencyS === null) {
    return { problem: 'this summary has no Requests/sec or Average, as hey and oha print them' };
  }
  return closedLoop(requestsPerS * latencyS, requestsPerS, latencyS);
}

function numberIn(text: string, pattern: RegExp): number | null {
  const found = Number(pattern.exec(text)?.[1]);
  return Number.isFinite(found) ? found : null;
}

function durationIn(text: string, pattern: RegExp): number | null {
  const [, digits, unit = ''] = pattern.exec(text) ?? [];
  const seconds = Number(digits) * (secondsIn[unit] ?? Number.NaN);
  return Number.isFinite(seconds) ? seconds : null;
}
