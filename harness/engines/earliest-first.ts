/** A queue that gives what is due first: a binary heap. Equal times come in any, but always the same, order. */
export interface EarliestFirst<T> {
  add(item: T): void;
  first(): T | undefined;
  take(): T | undefined;
  size(): number;
}

export function earliestFirst<T>(timeOf: (item: T) => number): EarliestFirst<T> {
  const heap: T[] = [];

  function isEarlier(left: number, right: number): boolean {
    return timeOf(heap[left] as T) < timeOf(heap[right] as T);
  }

  function swap(left: number, right: number): void {
    const held = heap[left] as T;
    heap[left] = heap[right] as T;
    heap[right] = held;
  }

  return {
    first: () => heap[0],
    size: () => heap.length,
    add(item) {
      heap.push(item);
      for (let at = heap.length - 1; at > 0; ) {
        const parent = (at - 1) >> 1;
        if (!isEarlier(at, parent)) return;
        swap(at, parent);
        at = parent;
      }
    },
    take() {
      const earliest = heap[0];
      const last = heap.pop();
      if (heap.length === 0 || last === undefined) return earliest;
      heap[0] = last;
      for (let at = 0; ; ) {
        let next = at;
        for (const child of [2 * at + 1, 2 * at + 2]) if (child < heap.length && isEarlier(child, next)) next = child;
        if (next === at) return earliest;
        swap(at, next);
        at = next;
      }
    },
  };
}
