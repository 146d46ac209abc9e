import type { Violation, WhyNot } from './findings.ts';

export type NonEmpty<T> = readonly [T, ...T[]];

export function isNonEmpty<T>(items: readonly T[]): items is NonEmpty<T> {
  return items.length > 0;
}

export type Verdict =
  | { readonly kind: 'met' }
  | { readonly kind: 'missed'; readonly violation: Violation }
  | { readonly kind: 'inconclusive'; readonly reasons: NonEmpty<WhyNot> }
  | { readonly kind: 'not-judged'; readonly why: WhyNot };
