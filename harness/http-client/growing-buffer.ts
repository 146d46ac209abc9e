const FIRST_BYTES = 1024;
const EMPTY = Buffer.alloc(0);

/** Gathers bytes that come in pieces. Doubles when it is full, so that even single bytes are no burden. */
export class GrowingBuffer {
  length = 0;
  #room: Buffer = EMPTY;

  add(bytes: Buffer, from: number, to: number): void {
    const length = this.length + to - from;
    if (length > this.#room.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(FIRST_BYTES, length, 2 * this.#room.length));
      this.#room.copy(larger, 0, 0, this.length);
      this.#room = larger;
    }
    bytes.copy(this.#room, this.length, from, to);
    this.length = length;
  }

  bytes(): Buffer {
    return this.length === 0 ? EMPTY : this.#room.subarray(0, this.length);
  }

  /** Starts anew; what `bytes` gave before stays as it is. */
  clear(): void {
    if (this.length === 0) return;
    this.length = 0;
    this.#room = EMPTY;
  }
}
