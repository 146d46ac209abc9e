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
