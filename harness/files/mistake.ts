/** Something that each value of a file allows, but the values together do not. */
export interface Mistake {
  /** Where it stands in the file: keys and indexes. */
  readonly at: readonly (string | number)[];
  readonly part?: 'key' | 'value';
  readonly what: string;
  readonly nextStep: string;
}

/** What was read, if it is a group of keys and values; else an empty one. */
export function group(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}
