/** What is wrong at one place of a file. */
export interface ProblemAt {
  /** Keys and indexes that lead there. */
  readonly at: readonly (string | number)[];
  readonly part?: 'key' | 'value';
  readonly what: string;
  readonly nextStep: string;
}

/** What was read, if it is a group of keys and values; else an empty one. */
export function group(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}

/** A value as a person wrote it, short. */
export function describeValue(value: unknown): string {
  if (value === null || value === undefined) return 'empty';
  if (typeof value === 'string') return `the text '${shorten(value)}'`;
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a group of keys and values';
  return String(value);
}

/** On one line, without what a terminal would obey. */
export function shorten(text: string): string {
  const line = text.replaceAll(/[\s\p{Cc}]+/gu, ' ');
  return line.length > 60 ? `${line.slice(0, 57)}...` : line;
}
