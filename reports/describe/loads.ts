import { describeLoad, type OfferedLoad } from '../../harness/core/load.ts';

/** `300/s, concurrency 50, 100`: the word once, before the first concurrency. */
export function loadList(loads: readonly OfferedLoad[]): string {
  const firstClosed = loads.findIndex(({ model }) => model === 'closed');
  return loads
    .map((load, index) => (load.model === 'closed' && index > firstClosed ? `${load.concurrency}` : describeLoad(load)))
    .join(', ');
}

/** `10/s to 300/s and concurrency 1 to 100`, of loads in ascending order. */
export function loadRange(loads: readonly OfferedLoad[]): string {
  const ranges = [...Map.groupBy(loads, ({ model }) => model).values()].map((group) => {
    const [first, last] = [group[0], group.at(-1)];
    if (first === undefined || last === undefined) return '';
    if (group.length === 1) return describeLoad(first);
    return `${describeLoad(first)} to ${last.model === 'closed' ? last.concurrency : describeLoad(last)}`;
  });
  return ranges.length === 0 ? 'no load' : ranges.join(' and ');
}
