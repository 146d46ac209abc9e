import { z } from 'zod';

/** Slowdowns that people have accepted, each for a time. */

export const acceptedMetrics = [
  'latency',
  'latency-p50',
  'latency-p95',
  'latency-p99',
  'cpu',
  'throughput',
  'errors',
] as const;

const date = z.string().regex(/^\d{4}-\d{2}-\d{2}$/u);

export const acceptedSchema = z.object({
  metric: z.enum(acceptedMetrics),
  /** Null: every scenario, step and service. */
  scenario: z.string().nullable(),
  step: z.string().nullable(),
  service: z.string().nullable(),
  /** How much more of it is accepted: 0.15. */
  upToRatio: z.number().positive(),
  /** The last day, in UTC. */
  until: date,
  why: z.string(),
});
export type Accepted = z.infer<typeof acceptedSchema>;
