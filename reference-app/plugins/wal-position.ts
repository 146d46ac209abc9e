/**
 * How far the log of the primary had come: 16 digits of hexadecimal, so that comparing the texts compares the
 * positions, here and in Redis. PostgreSQL writes the same as `16/B374D848`.
 */
export type WalPosition = string;

/** Before everything: what asks for nothing, and what is known of nothing. */
export const walStart: WalPosition = '0'.repeat(16);

/** After everything: a write whose position is not known. Whoever asks for this is answered by the primary. */
export const walEnd: WalPosition = 'F'.repeat(16);

const asPostgresWrites = /^([0-9A-F]{1,8})\/([0-9A-F]{1,8})$/i;

/** Undefined when the text is no position. */
export function parseWalPosition(text: string): WalPosition | undefined {
  const [, high, low] = asPostgresWrites.exec(text) ?? [];
  if (high === undefined || low === undefined) return undefined;
  return (high.padStart(8, '0') + low.padStart(8, '0')).toUpperCase();
}

/** As PostgreSQL writes it. */
export function printWalPosition(position: WalPosition): string {
  const digits = (from: number) => position.slice(from, from + 8).replace(/^0{1,7}/, '');
  return `${digits(0)}/${digits(8)}`;
}

export function laterOf(first: WalPosition, ...others: readonly WalPosition[]): WalPosition {
  return [first, ...others].toSorted().at(-1) ?? first;
}
