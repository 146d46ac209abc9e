interface Coded {
  readonly code: string;
}

/** Words for each code of a finding: a code without any does not compile. */
export type Describers<Finding extends Coded> = {
  readonly [Code in Finding['code']]: (finding: Extract<Finding, { readonly code: Code }>) => string;
};

export function describer<Finding extends Coded>(describers: Describers<Finding>): (finding: Finding) => string {
  return (finding) => {
    const describe: (one: never) => string = describers[finding.code as Finding['code']];
    return describe(finding as never);
  };
}
