/** Where the process that attends a container finds its order, as JSON. */
export const ORDER_VARIABLE = 'TIERBENCH_CONTAINER_ORDER';

export interface ContainerOrder {
  readonly image: string;
  readonly args: readonly string[];
  /** Where it works, and all it sees of this machine's files. */
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
}
