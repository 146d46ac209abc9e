import type { Described } from '../services/service-type.ts';

/** A way along connections back to where it started: the services on it, and the role that closes it. */
export interface Circle {
  readonly names: readonly string[];
  readonly closedBy: string;
}

export function circlesOf(services: readonly Pick<Described, 'name' | 'connectsTo'>[]): Circle[] {
  const circles: Circle[] = [];
  const done = new Set<string>();
  const visit = (service: Pick<Described, 'name' | 'connectsTo'>, path: readonly string[]) => {
    if (done.has(service.name)) return;
    const names = [...path, service.name];
    for (const [role, target] of Object.entries(service.connectsTo)) {
      const start = names.indexOf(target);
      if (start >= 0) circles.push({ names: names.slice(start), closedBy: role });
      else {
        const other = services.find(({ name }) => name === target);
        if (other !== undefined) visit(other, names);
      }
    }
    done.add(service.name);
  };
  for (const service of services) visit(service, []);
  return circles;
}

/** Whether the connection `from` -> `to` is a part of one of them. */
export function isOnCircle(circles: readonly Circle[], from: string, to: string): boolean {
  return circles.some(({ names }) => names.some((name, at) => name === from && names[(at + 1) % names.length] === to));
}
