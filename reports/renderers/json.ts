import type { z } from 'zod';

/** report.json: the data of a report as its schema has it, in the order of the schema, whatever order a file had. */
export function renderJson<Report>(report: Report, schema: z.ZodType<Report>): string {
  return `${JSON.stringify(schema.parse(report), null, 2)}\n`;
}
