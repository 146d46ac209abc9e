import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { listStatement, statsStatement } from '../repositories/tasks.ts';
import { taskPriorities, taskSorts, taskStatuses } from '../schemas/tasks.ts';
import { seed } from '../seed.ts';
import { newDatabase } from './postgres.ts';

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Index Cond'?: string;
  readonly Plans?: readonly PlanNode[];
}

const userId = 500;
let client: pg.Client;

beforeAll(async () => {
  const databaseUrl = await newDatabase();
  await seed(databaseUrl, { users: 1000, tasksPerUser: 250, seed: 1, password: 'a fine password', bcryptCost: 4 });
  client = new pg.Client(databaseUrl);
  await client.connect();
}, 300_000);
afterAll(async () => {
  // Many rows, which the server would tidy up while other files use it.
  await client?.query('truncate users cascade');
  await client?.end();
});

/** Every statement a list request can lead to: each filter given or not, each sort. */
function* listStatements(): Generator<pg.QueryConfig<unknown[]>> {
  for (const status of [undefined, ...taskStatuses]) {
    for (const priority of [undefined, ...taskPriorities]) {
      for (const search of [undefined, 'e', 'invoice', 'no task has this']) {
        for (const sort of taskSorts) {
          for (const page of [1, 50]) {
            yield listStatement(userId, {
              page,
              limit: 10,
              sort,
              ...(status && { status }),
              ...(priority && { priority }),
              ...(search && { search }),
            });
          }
        }
      }
    }
  }
}

function* nodesOf(node: PlanNode): Generator<PlanNode> {
  yield node;
  for (const child of node.Plans ?? []) yield* nodesOf(child);
}

async function planOf(text: string, values: unknown[] = []): Promise<PlanNode> {
  const { rows } = await client.query(`explain (format json) ${text}`, values);
  return rows[0]['QUERY PLAN'][0].Plan;
}

/** What is wrong with a plan: reads of tasks other than the slice of one user, found by an index. */
function problemsOf(plan: PlanNode): string[] {
  const nodes = [...nodesOf(plan)];
  const problems = nodes
    .filter((node) => node['Node Type'] === 'Seq Scan')
    .map((node) => `reads all of ${node['Relation Name']}`);
  const scans = nodes.filter((node) => node['Index Name'] !== undefined);
  if (scans.length === 0) problems.push('uses no index');
  for (const scan of scans) {
    if (!scan['Index Cond']?.includes('user_id = ')) problems.push(`${scan['Index Name']} is not asked for one user`);
  }
  return problems;
}

it('finds tasks by an index of their user for every combination of filters and sort, whatever the values', async () => {
  const problems: string[] = [];
  let plans = 0;
  for (const { name, text, values = [] } of listStatements()) {
    plans += 1;
    for (const problem of problemsOf(await planOf(text, values))) problems.push(`${name}: ${problem}`);
  }
  expect(plans).toBe(4 * 4 * 4 * taskSorts.length * 2);
  expect(problems).toEqual([]);
});

it('does so too once a prepared statement has settled on one plan for all values', async () => {
  await client.query('set plan_cache_mode = force_generic_plan');
  const problems: string[] = [];
  const seen = new Set<string>();
  for (const { name = '', text, values = [] } of [...listStatements(), statsStatement(userId)]) {
    if (seen.has(name)) continue;
    seen.add(name);
    await client.query({ name, text, values });
    const literals = values.map((value) => client.escapeLiteral(String(value))).join(', ');
    const plan = await planOf(`execute "${name}" (${literals})`);
    for (const problem of problemsOf(plan)) problems.push(`${name}: ${problem}`);
  }
  await client.query('reset plan_cache_mode');
  expect(seen.size).toBe(2 * 2 * 2 * taskSorts.length + 1);
  expect(problems).toEqual([]);
});

it('gives each text a name of its own, as one name can stand for one prepared text only', () => {
  const texts = new Map<string, Set<string>>();
  for (const { name = '', text } of listStatements()) texts.set(name, (texts.get(name) ?? new Set()).add(text));
  expect([...texts.values()].every((each) => each.size === 1)).toBe(true);
});

it('counts without reading the table: pagination and statistics come from the index alone', async () => {
  const filters = [{}, { status: 'pending' }, { priority: 'high' }, { status: 'pending', priority: 'high' }] as const;
  for (const filter of filters) {
    const { text, values } = listStatement(userId, { page: 1, limit: 10, sort: '-createdAt', ...filter });
    const count = [...nodesOf(await planOf(text, values))].find((node) => node['Node Type'] === 'Aggregate');
    const reads = [...nodesOf(count as PlanNode)].filter((node) => node['Relation Name'] === 'tasks');
    expect(reads.map((node) => node['Node Type'])).toEqual(['Index Only Scan']);
  }
  const { text, values } = statsStatement(userId);
  const reads = [...nodesOf(await planOf(text, values))].filter((node) => node['Relation Name'] === 'tasks');
  expect(reads.map((node) => node['Node Type'])).toEqual(['Index Only Scan']);
});

it('takes the newest tasks in the order of an index, without sorting them all', async () => {
  for (const filter of [{}, { status: 'pending' }, { priority: 'high' }] as const) {
    const { text, values } = listStatement(userId, { page: 1, limit: 10, sort: '-createdAt', ...filter });
    const limit = [...nodesOf(await planOf(text, values))].find((node) => node['Node Type'] === 'Limit');
    expect(limit?.Plans?.map((node) => node['Node Type'])).toEqual(['Index Scan']);
  }
});
