import { readdir } from 'node:fs/promises';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { suggestion } from '../core/closest-match.ts';
import { type Problem, TierbenchError } from '../core/errors.ts';
import { type SettingChange, type VariedSetting, variantId } from '../core/setting-change.ts';
import type { Tier } from '../core/tier.ts';
import { parseIn } from '../core/units.ts';
import { shippedTypes } from '../services/registry.ts';
import { tierProblems } from './tier-problems.ts';
import { group } from './written-value.ts';
import {
  checkSchema,
  closedObject,
  invalidFile,
  parseYaml,
  quantityIn,
  readYamlFile,
  type YamlFile,
} from './yaml-file.ts';

const tierFile = { kind: 'tier', invalid: 'TIER_FILE_INVALID' } as const;
/** Beside this file in a checkout and, where the build copies the tiers, in the package. */
const builtInFolder = fileURLToPath(new URL('../tiers/', import.meta.url));

const MOST_INSTANCES = 1000;
/** More than any machine has: a slip of the pen. */
const MOST_CPUS = 10_000;
const MOST_MEMORY_BYTES = 2 ** 50;

const name = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,39}$/u, 'is no name: use lower-case letters, digits and hyphens, a letter first');
// Settings end up in environments, command lines and configuration files of servers.
const settingName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_.-]{0,99}$/u, 'is no name of a setting: use letters, digits, and any of _ . -');
const settingValue = z.unknown().transform((value, context): string | number | boolean => {
  if (typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))) return value;
  if (typeof value === 'string' && !/\p{Cc}/u.test(value)) return value;
  const what =
    typeof value === 'string'
      ? 'must be one line of text without control characters'
      : 'must be one text, number, true or false';
  context.addIssue({
    code: 'custom',
    message: `${what}${value === null ? ", but is empty\nWrite '' for an empty text." : ''}`,
  });
  return z.NEVER;
});

const service = closedObject({
  kind: z.enum([...shippedTypes.keys()]),
  instances: z.int().min(1).max(MOST_INSTANCES).default(1),
  settings: z.record(settingName, settingValue).default({}),
  resources: closedObject({
    cpus: z
      .number({
        error: ({ input }) =>
          typeof input === 'string' && /^\d+m$/u.test(input)
            ? `is '${input}', but must be a number of CPUs\nWrite ${Number(input.slice(0, -1)) / 1000}.`
            : undefined,
      })
      .positive()
      .max(MOST_CPUS)
      .exactOptional(),
    memory: quantityIn('bytes')
      .refine((bytes) => bytes > 0, 'must be above 0')
      .refine((bytes) => bytes <= MOST_MEMORY_BYTES, 'must be at most 1 PiB')
      .exactOptional(),
  }).default({}),
  connectsTo: z.record(z.string(), z.string()).default({}),
});

const tierSchema = closedObject({
  name,
  title: z.string().min(1),
  description: z.string().min(1),
  documents: z.array(closedObject({ document: z.string().min(1), section: z.string().min(1) })).default([]),
  entry: z.string(),
  services: z.record(name, service),
});

/** Each builds on the one before, so that a run shows what each step buys. */
const inThisOrder = ['single', 'pooled', 'replicated', 'cached'];

/** The names of the tiers that come with tierbench, in the order they are run; those new to the list last, by name. */
export async function builtInTiers(): Promise<string[]> {
  const files = await readdir(builtInFolder);
  const place = (name: string) => (inThisOrder.includes(name) ? inThisOrder.indexOf(name) : inThisOrder.length);
  return files
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => basename(file, '.yaml'))
    .sort()
    .sort((left, right) => place(left) - place(right));
}

/**
 * A tier with these settings changed, checked as if the file had them. A change whose service the tier does not have is
 * left out: of several tiers a sweep is about those that have it.
 * @throws TierbenchError as `readTier`
 */
export async function readVariant(
  nameOrPath: string,
  changes: readonly SettingChange[],
): Promise<{ readonly tier: Tier; readonly variant: readonly VariedSetting[] }> {
  const file = await readTierFile(nameOrPath);
  let { value } = file;
  const variant: VariedSetting[] = [];
  for (const change of changes) {
    const changed = withChange(value, change);
    if (changed === undefined) continue;
    value = changed.value;
    variant.push({ ...change, isOwn: changed.isOwn });
  }
  const path = variant.length === 0 ? file.path : `${file.path} with ${variantId('', variant).slice(1)}`;
  return { tier: toTier({ ...file, path, value }), variant };
}

/** Of the services of that name, else of that kind; undefined where there is none. */
function withChange(value: unknown, change: SettingChange) {
  const services = Object.entries(group(group(value).services));
  const named = services.filter(([name]) => name === change.service);
  const meant = named.length > 0 ? named : services.filter(([, service]) => group(service).kind === change.service);
  if (meant.length === 0) return undefined;
  const { setting } = change;
  const key = setting === 'cpus' || setting === 'memory' ? 'resources' : 'settings';
  const withValue = (service: Readonly<Record<string, unknown>>) =>
    setting === 'instances'
      ? { ...service, instances: change.value }
      : { ...service, [key]: { ...group(service[key]), [setting]: change.value } };
  return {
    isOwn: meant.every(([, service]) => {
      const own = group(service);
      return isSame(setting === 'instances' ? (own.instances ?? 1) : group(own[key])[setting], change);
    }),
    value: {
      ...group(value),
      services: Object.fromEntries([
        ...services,
        ...meant.map(([name, own]) => [name, withValue(group(own))] as const),
      ]),
    },
  };
}

/** A size of memory may be written in another unit. */
function isSame(written: unknown, { setting, value }: SettingChange): boolean {
  if (setting !== 'memory' || written === undefined) return written === value;
  const [one, other] = [String(written), String(value)].map((text) => parseIn(text, 'bytes'));
  return one !== undefined && other !== undefined && 'value' in one && 'value' in other && one.value === other.value;
}

/**
 * The tier of that name, or the one a user wrote into a file: what has a slash or ends in .yaml is a path.
 * @throws TierbenchError TIER_UNKNOWN, FILE_NOT_FOUND, FILE_NOT_READABLE, or TIER_FILE_INVALID with every problem.
 */
export async function readTier(nameOrPath: string): Promise<Tier> {
  return toTier(await readTierFile(nameOrPath));
}

async function readTierFile(nameOrPath: string): Promise<YamlFile> {
  if (/[/\\]|\.ya?ml$/iu.test(nameOrPath)) return readYamlFile(nameOrPath, tierFile);
  const known = await builtInTiers();
  if (!known.includes(nameOrPath)) {
    throw new TierbenchError(
      'TIER_UNKNOWN',
      `there is no tier '${nameOrPath}'`,
      `${suggestion(nameOrPath, known)} A tier file of your own is given by its path: ./${nameOrPath || 'mine'}.yaml`,
    );
  }
  return readYamlFile(`${builtInFolder}${nameOrPath}.yaml`, tierFile);
}

/** A tier from the text of its file; `path` is what errors call it. */
export function parseTier(text: string, path: string): Tier {
  return toTier(parseYaml(text, path, tierFile));
}

function toTier(file: YamlFile): Tier {
  const { value, problems } = checkSchema(file, tierSchema);
  const together = tierProblems(file.value).map(
    ({ at, part, what, nextStep }): Problem => ({ ...file.place(at, part), what, nextStep }),
  );
  const all = [...file.problems, ...problems, ...together];
  if (value === undefined || all.length > 0) throw invalidFile(file.path, tierFile, all);
  return {
    ...value,
    services: Object.entries(value.services).map(([serviceName, { resources, ...rest }]) => ({
      ...rest,
      name: serviceName,
      resources: {
        ...(resources.cpus !== undefined && { cpus: resources.cpus }),
        ...(resources.memory !== undefined && { memoryBytes: resources.memory }),
      },
    })),
  };
}
