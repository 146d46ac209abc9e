/** Memory of a body: it counts until it is dropped, or until nobody can read it any more. */
interface Held {
  readonly memory: WeakRef<ArrayBuffer>;
  readonly bytes: number;
}

interface Piece {
  readonly buffer: Buffer;
  /** Undefined where it does not count. */
  readonly held: Held | undefined;
}

/** Why a scenario cannot read a body, for a person. */
export const BODY_LOST =
  'its body was not kept: it is larger than 64 MiB, or there was no room among the bodies of other responses';

export interface BodyLimits {
  /** Bytes that all bodies together may take, as long as the scenario has read none. */
  readonly unread: number;
  /** From the first one on that it reads. */
  readonly read: number;
}

const MIB = 2 ** 20;
const DEFAULT_LIMITS: BodyLimits = { unread: 64 * MIB, read: 256 * MIB };
/** A response with more is malformed. */
export const MOST_BODY_BYTES = 1024 * MIB;
/** A larger one is not kept, whatever is free. */
const MOST_KEPT_BYTES = 64 * MIB;
/** One up to here is always kept, and does not count: most responses need no accounts. */
export const SMALL_BODY_BYTES = 64 * 1024;
const FIRST_BYTES = 1024;
const MOST_GROWTH_BYTES = 256 * 1024;
/** Where bodies that are still read take all memory, collecting garbage frees none. */
const COLLECT_EVERY_MS = 500;
const EMPTY = Buffer.alloc(0);

/**
 * What the bodies of all connections of a process may take together, so that no server exhausts the memory of the generator.
 * A body that finds no room is counted as it comes and not kept.
 */
export class BodyMemory {
  readonly #limits: BodyLimits;
  readonly #held = new Set<Held>();
  #takenBytes = 0;
  #wasRead = false;
  #takenSinceCollecting = 0;
  #collectedMs = Number.NEGATIVE_INFINITY;

  /** `processes` that share the memory of the trial. */
  constructor(processes = 1, { unread, read }: BodyLimits = DEFAULT_LIMITS) {
    this.#limits = { unread: unread / processes, read: read / processes };
  }

  /**
   * Undefined when there is no room. The second half of it is not for the first piece of a body of unknown size: where
   * each new body took the room of those that grow, none would be complete.
   */
  take(bytes: number, isFirstOfUnknown: boolean): Piece | undefined {
    const hasRoom = () => this.#takenBytes + bytes <= this.#limit() / (isFirstOfUnknown ? 2 : 1);
    if (!hasRoom()) this.#collect();
    if (!hasRoom()) return undefined;
    const memory = new ArrayBuffer(bytes);
    const held = { memory: new WeakRef(memory), bytes };
    this.#held.add(held);
    this.#takenBytes += bytes;
    this.#takenSinceCollecting += bytes;
    return { buffer: Buffer.from(memory), held };
  }

  /** Frees it at once: nobody has seen what is in it. */
  drop(held: Held): void {
    held.memory.deref()?.transfer(0);
    this.#forget(held);
  }

  /** The scenario reads bodies: they get more room. */
  readonly noteRead = (): void => {
    this.#wasRead = true;
  };

  #limit(): number {
    return this.#wasRead ? this.#limits.read : this.#limits.unread;
  }

  #forget(held: Held): void {
    if (this.#held.delete(held)) this.#takenBytes -= held.bytes;
  }

  /** Bodies that nobody can read any more count until their memory is free. */
  #collect(): void {
    const isEarly = performance.now() - this.#collectedMs < COLLECT_EVERY_MS;
    if (isEarly && this.#takenSinceCollecting < this.#limit() / 4) return;
    // A generator process is started with this (`--expose-gc`); elsewhere the engine collects when it likes.
    globalThis.gc?.();
    for (const held of this.#held) if (held.memory.deref() === undefined) this.#forget(held);
    this.#takenSinceCollecting = 0;
    this.#collectedMs = performance.now();
  }
}

/** A body that comes in pieces. */
export class ReceivedBody {
  /** Of all that came, kept or not. */
  length = 0;
  /** Its memory ran out: `bytes` is empty. */
  isLost = false;
  readonly #memory: BodyMemory;
  #pieces: Piece[] = [];
  #keptBytes = 0;
  /** Room in the last piece. */
  #room = 0;

  constructor(memory: BodyMemory) {
    this.#memory = memory;
  }

  /** So many bytes will come: they get their memory in one piece. */
  expect(bytes: number): void {
    if (bytes > 0) this.#grow(bytes, true);
  }

  add(bytes: Uint8Array, from: number, to: number): void {
    this.length += to - from;
    for (let at = from; at < to && !this.isLost; ) {
      if (this.#room === 0) this.#grow(Math.min(MOST_GROWTH_BYTES, Math.max(FIRST_BYTES, to - at, this.#keptBytes)));
      const piece = this.#pieces.at(-1);
      if (piece === undefined) return;
      const until = Math.min(to, at + this.#room);
      piece.buffer.set(bytes.subarray(at, until), piece.buffer.length - this.#room);
      this.#room -= until - at;
      this.#keptBytes += until - at;
      at = until;
    }
  }

  #grow(bytes: number, isAll = false): void {
    const total = this.#keptBytes + bytes;
    const small = total <= SMALL_BODY_BYTES ? { buffer: Buffer.allocUnsafeSlow(bytes), held: undefined } : undefined;
    const piece =
      total > MOST_KEPT_BYTES
        ? undefined
        : (small ?? this.#memory.take(bytes, !isAll && !this.#pieces.some(({ held }) => held)));
    if (piece === undefined) {
      this.#drop();
      this.isLost = true;
    } else {
      this.#pieces.push(piece);
      this.#room = bytes;
    }
  }

  /** Hands over what was kept, as it came, and begins anew. */
  take(): readonly Buffer[] {
    const pieces = this.#pieces.map(({ buffer }) => buffer);
    const last = pieces.pop();
    if (last !== undefined) pieces.push(last.subarray(0, last.length - this.#room));
    this.#begin();
    return pieces;
  }

  /** Gives up what came, and begins anew. */
  clear(): void {
    this.#drop();
    this.#begin();
  }

  #drop(): void {
    for (const { held } of this.#pieces) if (held !== undefined) this.#memory.drop(held);
    this.#pieces = [];
    this.#keptBytes = 0;
    this.#room = 0;
  }

  #begin(): void {
    if (this.length === 0 && this.#pieces.length === 0) return;
    this.#pieces = [];
    this.#keptBytes = 0;
    this.#room = 0;
    this.length = 0;
    this.isLost = false;
  }
}

/** Of a body that is not complete, for a person; empty where little came. */
export function describeUnfinished(bytes: number): string {
  return bytes <= SMALL_BODY_BYTES ? '' : `, though ${(bytes / MIB).toFixed(1)} MiB of its body came`;
}

export function joined(pieces: readonly Buffer[]): Buffer {
  const [only = EMPTY] = pieces;
  return pieces.length < 2 ? only : Buffer.concat(pieces);
}
