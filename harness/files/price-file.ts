import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { suggestion } from '../core/closest-match.ts';
import { TierbenchError } from '../core/errors.ts';
import type { Prices } from '../core/plan.ts';
import { shippedTypes } from '../services/registry.ts';
import { rangeIn } from './workload-file.ts';
import { checkSchema, closedObject, invalidFile, parseYaml, readYamlFile, type YamlFile } from './yaml-file.ts';

const kind = { kind: 'price', invalid: 'PRICE_FILE_INVALID' } as const;
/** Beside this file in a checkout and, where the build copies the prices, in the package. */
const builtInFolder = fileURLToPath(new URL('../prices/', import.meta.url));

const price = rangeIn(null, { from: 0, to: 1e9 });
const text = z.string().min(1).max(200);

const schema = closedObject({
  currency: z.string().regex(/^[A-Z]{3}$/u, 'is no currency: write three letters, such as USD or EUR'),
  date: z.iso.date({
    error: ({ input }) =>
      typeof input === 'string' ? `is '${input}', but must be a day such as 2026-11-28` : undefined,
  }),
  source: text,
  cpuHour: price.exactOptional(),
  memoryGibHour: price.exactOptional(),
  instanceMonth: closedObject(
    Object.fromEntries([...shippedTypes.keys()].map((each) => [each, price.exactOptional()])),
  ).default({}),
  networkGb: price.exactOptional(),
  fixedMonth: z.record(text, price).default({}),
});

/**
 * The built-in prices of that name, or those of a file: what has a slash or ends in .yaml is a path.
 * @throws TierbenchError PRICES_UNKNOWN, FILE_NOT_FOUND, FILE_NOT_READABLE, or PRICE_FILE_INVALID with every problem.
 */
export async function readPrices(nameOrPath: string): Promise<Prices> {
  if (/[/\\]|\.ya?ml$/iu.test(nameOrPath)) return toPrices(await readYamlFile(nameOrPath, kind));
  const known = (await readdir(builtInFolder)).map((file) => file.replace(/\.yaml$/u, ''));
  if (!known.includes(nameOrPath)) {
    throw new TierbenchError(
      'PRICES_UNKNOWN',
      `there are no prices '${nameOrPath}'`,
      `${suggestion(nameOrPath, known)} A file of your own is given by its path: ./prices.yaml`,
    );
  }
  return toPrices(await readYamlFile(`${builtInFolder}${nameOrPath}.yaml`, kind));
}

/** As `readPrices`, from text; `path` is what errors call it. */
export function parsePrices(content: string, path: string): Prices {
  return toPrices(parseYaml(content, path, kind));
}

function toPrices(file: YamlFile): Prices {
  const { value, problems } = checkSchema(file, schema);
  const prices = value && [value.cpuHour, ...Object.values(value.instanceMonth)];
  const none = prices?.every((each) => each === undefined)
    ? [
        {
          ...file.place([]),
          what: 'it has no price of a service',
          nextStep: 'Add cpuHour, or instanceMonth with kinds of services.',
        },
      ]
    : [];
  const all = [...file.problems, ...problems, ...none];
  if (value === undefined || all.length > 0) throw invalidFile(file.path, kind, all);
  const { cpuHour = null, memoryGibHour = null, networkGb = null, instanceMonth, ...rest } = value;
  return { ...rest, cpuHour, memoryGibHour, networkGb, instanceMonth: instanceMonth as Prices['instanceMonth'] };
}
