export type NonEmpty<T> = readonly [T, ...T[]];

export type Verdict =
  | { readonly kind: 'met' }
  | { readonly kind: 'missed'; readonly violations: NonEmpty<string> }
  | { readonly kind: 'inconclusive'; readonly reasons: NonEmpty<string> };
