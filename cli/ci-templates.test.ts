import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { ciTemplates, commentScript } from './ci-templates.ts';

interface Step {
  readonly name?: string;
  readonly run?: string;
  readonly env?: Readonly<Record<string, string>>;
}
interface Action {
  readonly inputs: Readonly<Record<string, { readonly description: string }>>;
  readonly runs: { readonly using: string; readonly steps: readonly Step[] };
}

const text = readFileSync(join(import.meta.dirname, '../action.yml'), 'utf8');
const action: Action = parse(text);
const { steps } = action.runs;

describe('action.yml', () => {
  test('uses inputs that it declares, and each of them', () => {
    const used = [...text.matchAll(/inputs\.([\w-]+)/gu)].map(([, name]) => name);
    expect(new Set(used)).toEqual(new Set(Object.keys(action.inputs)));
  });

  test('passes what others write to its scripts as variables only', () => {
    expect(steps.filter(({ run }) => run?.includes('${{'))).toEqual([]);
  });

  test('comments as the workflow of init ci does', () => {
    expect(steps.find(({ name }) => name === 'Comment')?.run).toBe(commentScript);
  });
});

test('init ci writes YAML with the same comment', () => {
  const workflow: { readonly jobs: { readonly gate: { readonly steps: readonly Step[] } } } = parse(
    ciTemplates.github().text,
  );
  expect(workflow.jobs.gate.steps.find(({ name }) => name === 'Comment')?.run).toBe(commentScript);
  expect(workflow.jobs.gate.steps.filter(({ run }) => run?.includes('${{'))).toEqual([]);
  expect(parse(ciTemplates.gitlab().text)).toMatchObject({
    tierbench: { allow_failure: { exit_codes: 3 }, artifacts: { reports: { junit: 'tierbench-gate.xml' } } },
  });
});
