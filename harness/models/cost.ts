import { exactly, type Prices, product, type Range } from '../core/plan.ts';

/** What a month is: 365 days over 12. */
const MONTH_HOURS = 730;
export const MONTH_S = MONTH_HOURS * 3600;
const GIB = 2 ** 30;

export interface PricedService {
  readonly name: string;
  readonly kind: string;
  readonly instances: number;
  /** Of one instance; null where nothing limits it. */
  readonly cpus: number | null;
  readonly memoryBytes: number | null;
  /** How many times larger it is than the one that has the price of its kind. */
  readonly size: number;
}

export interface MonthlyCost {
  readonly currency: string;
  /** What has a price, and what each costs: services, then what is fixed, then the network. */
  readonly items: readonly { readonly name: string; readonly month: Range }[];
  readonly total: Range;
  /** Services that the prices say nothing of: the total is without them. */
  readonly withoutPrice: readonly string[];
}

/** A month of one instance: by its kind, else by its CPUs and memory; null where the prices say nothing of it. */
export function instanceMonth(service: Omit<PricedService, 'name' | 'instances'>, prices: Prices): Range | null {
  const ofKind = Object.hasOwn(prices.instanceMonth, service.kind) ? prices.instanceMonth[service.kind] : undefined;
  if (ofKind !== undefined) return product(ofKind, exactly(service.size));
  if (prices.cpuHour === null || service.cpus === null) return null;
  const cpu = product(prices.cpuHour, exactly(service.cpus * MONTH_HOURS));
  if (prices.memoryGibHour === null) return cpu;
  if (service.memoryBytes === null) return null;
  return add(cpu, product(prices.memoryGibHour, exactly((service.memoryBytes / GIB) * MONTH_HOURS)));
}

/** What a month of a tier costs. `networkBytes`: of the responses of a month; null where it is not known. */
export function monthlyCost(
  services: readonly PricedService[],
  prices: Prices,
  networkBytes: number | null,
): MonthlyCost {
  const priced = services.map((service) => ({ ...service, month: instanceMonth(service, prices) }));
  const items = [
    ...priced.flatMap(({ name, instances, month }) =>
      month === null ? [] : [{ name, month: product(month, exactly(instances)) }],
    ),
    ...Object.entries(prices.fixedMonth).map(([name, month]) => ({ name, month })),
    ...(prices.networkGb === null || networkBytes === null
      ? []
      : [{ name: 'network', month: product(prices.networkGb, exactly(networkBytes / 1e9)) }]),
  ];
  return {
    currency: prices.currency,
    items,
    total: items.reduce((total, { month }) => add(total, month), exactly(0)),
    withoutPrice: priced.flatMap(({ name, month }) => (month === null ? [name] : [])),
  };
}

/** Of a million requests where so many a second are served all the time: hourly cost/(3600 × rate) × 1e6. */
export function perMillionRequests(month: number, ratePerS: number): number {
  return (month / MONTH_HOURS / (3600 * ratePerS)) * 1e6;
}

function add(one: Range, other: Range): Range {
  return { low: one.low + other.low, high: one.high + other.high };
}
