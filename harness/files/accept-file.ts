import { z } from 'zod';
import { type Accepted, acceptedMetrics } from '../core/accepted.ts';
import { checkSchema, closedObject, type FileKind, invalidFile, quantityIn, readYamlFile } from './yaml-file.ts';

/** Where it is looked for when none is named. */
export const ACCEPT_FILE = 'tierbench.accept.yaml';

const kind: FileKind = { kind: 'accept', invalid: 'ACCEPT_FILE_INVALID' };

const name = z.string().min(1).nullable().default(null);

const day = z.string().refine(isDay, "is no day\nWrite it as '2027-01-31'.");

const entry = closedObject({
  metric: z.enum(acceptedMetrics),
  scenario: name,
  step: name,
  service: name,
  upTo: quantityIn('ratio').refine((share) => share > 0, 'must be above 0 %'),
  until: day,
  why: z.string().min(1),
})
  .refine(({ metric, step }) => step === null || metric.startsWith('latency'), {
    path: ['step'],
    message: 'goes with a latency only\nRemove it.',
  })
  .refine(({ metric, service }) => service === null || metric === 'cpu', {
    path: ['service'],
    message: 'goes with the metric cpu only\nRemove it.',
  });

const file = closedObject({ accepted: z.array(entry) });

/**
 * Slowdowns that people accept for a time.
 * @throws TierbenchError FILE_NOT_FOUND, FILE_NOT_READABLE, or ACCEPT_FILE_INVALID with every problem and its place.
 */
export async function readAccepted(path: string): Promise<readonly Accepted[]> {
  const read = await readYamlFile(path, kind);
  const { value, problems } = checkSchema(read, file);
  const all = [...read.problems, ...problems];
  if (all.length > 0 || value === undefined) throw invalidFile(path, kind, all);
  return value.accepted.map(({ upTo: upToRatio, ...each }) => ({ ...each, upToRatio }));
}

/** A day that the calendar has. */
function isDay(text: string): boolean {
  const time = /^\d{4}-\d{2}-\d{2}$/u.test(text) ? Date.parse(text) : Number.NaN;
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}
