import type { MetricObjectWithValues, MetricValue } from 'prom-client';

export type MetricValues = MetricObjectWithValues<MetricValue<string>>[];

/** What the primary process and its workers tell each other. */
export type ToWorker =
  | { kind: 'stop' }
  | { kind: 'read-metrics'; id: number }
  | { kind: 'all-metrics'; id: number; text: string };

export type ToPrimary =
  | { kind: 'failed'; problem: string }
  | { kind: 'metrics'; id: number; metrics: MetricValues }
  | { kind: 'want-all-metrics'; id: number };
