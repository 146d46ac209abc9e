import { inflateSync } from 'node:zlib';
import { build, decodeFromCompressedBase64, encodeIntoCompressedBase64, JsHistogram } from 'hdr-histogram-js';

const MICROSECONDS_PER_S = 1e6;
const SHORTEST_US = 1;
const LONGEST_US = 3_600_000_000;
const SIGNIFICANT_DIGITS = 3;

export interface HistogramBucket {
  /** The largest latency that falls into the bucket. */
  readonly valueS: number;
  readonly count: number;
}

interface Filled extends HistogramBucket {
  readonly lowestUs: number;
  readonly middleUs: number;
  /** How many values are in this bucket and those below. */
  readonly upTo: number;
}

/**
 * Latencies from 1 us to 1 h in buckets at most 0.1 % wide: an HdrHistogram of integer microseconds with 3 significant
 * digits. Histograms merge without loss, which percentiles do not. Each value that is read back is the upper edge of its
 * bucket, as HdrHistogram has it, so it is at most 0.1 % above what was recorded, and never below.
 */
export class LatencyHistogram {
  /** All buckets, which take 100 kB; null until a latency is recorded. */
  #counts: JsHistogram | null;
  /** The buckets that hold something: what is read again and again. Null after something was added. */
  #known: readonly Filled[] | null;
  /** Not so in a histogram of another program with other digits or another range. */
  readonly #hasOwnBuckets: boolean;

  private constructor(counts: JsHistogram | null, known: readonly Filled[] | null) {
    this.#counts = counts;
    this.#known = known;
    this.#hasOwnBuckets = counts === null;
  }

  static empty(): LatencyHistogram {
    return new LatencyHistogram(null, []);
  }

  /** Reads HdrHistogram V2 (compressed, base64), of any maker. Throws a RangeError for anything else. */
  static decode(encoded: string): LatencyHistogram {
    try {
      const own = decodeOwn(encoded);
      if (own !== null) return new LatencyHistogram(null, own);
      return new LatencyHistogram(plain(decodeFromCompressedBase64(encoded, 32, false, LONGEST_US)), null);
    } catch (cause) {
      throw new RangeError(`not an HdrHistogram V2 in base64: '${encoded.slice(0, 40)}'`, { cause });
    }
  }

  static merged(histograms: Iterable<LatencyHistogram>): LatencyHistogram {
    const all = LatencyHistogram.empty();
    for (const histogram of histograms) all.merge(histogram);
    return all;
  }

  /** Latencies outside 1 us .. 1 h are recorded as the nearest end. NaN is a RangeError. */
  record(latencyS: number): void {
    const counts = this.#dense();
    this.#known = null;
    const latencyUs = Math.round(latencyS * MICROSECONDS_PER_S);
    if (latencyUs > SHORTEST_US && latencyUs < LONGEST_US) counts.recordValue(latencyUs);
    else counts.recordValue(nearestEnd(latencyUs));
  }

  /** Adds everything the other one holds. */
  merge(other: LatencyHistogram): void {
    if (this.#counts === null && other.#hasOwnBuckets) {
      this.#known = mergeFilled(this.#filled(), other.#filled());
      return;
    }
    const counts = this.#dense();
    for (const { lowestUs, count } of other.#filled()) counts.recordValueWithCount(lowestUs, count);
    this.#known = null;
  }

  /** HdrHistogram V2, compressed, base64. */
  encode(): string {
    return encodeIntoCompressedBase64(this.#dense());
  }

  get count(): number {
    return this.#known === null ? this.#dense().totalCount : (this.#known.at(-1)?.upTo ?? 0);
  }

  /** From the middles of the buckets; 0 when empty. */
  get meanS(): number {
    if (this.count === 0) return 0;
    let sumUs = 0;
    // The library's own `mean` visits every bucket up to the highest: a hundred times slower for few values.
    for (const { middleUs, count } of this.#filled()) sumUs += count * middleUs;
    return sumUs / this.count / MICROSECONDS_PER_S;
  }

  /** 0 when empty. */
  get maxS(): number {
    return this.#filled().at(-1)?.valueS ?? 0;
  }

  /**
   * The smallest recorded value that at least `ratio` (0..1) of all values do not exceed: the value at rank
   * ceil(ratio x count). Throws a RangeError when empty or when the ratio is not a ratio.
   */
  quantileS(ratio: number): number {
    if (!(ratio >= 0 && ratio <= 1)) throw new RangeError(`a quantile must be between 0 and 1, but is ${ratio}`);
    // 0.95 x 100 is 95.00000000000001 for some pairs: what is a whole number but for rounding is that number.
    const rank = Math.ceil(ratio * this.count * (1 - 2 * Number.EPSILON));
    return this.valueAtRankS(Math.max(1, rank));
  }

  /** The `rank`-th smallest value, counted from 1. Throws a RangeError for a rank outside 1..count. */
  valueAtRankS(rank: number): number {
    if (!(rank >= 1 && rank <= this.count)) {
      throw new RangeError(`a rank must be between 1 and ${this.count}, but is ${rank}`);
    }
    const filled = this.#filled();
    let [low, high] = [0, filled.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((filled[middle]?.upTo ?? 0) >= rank) high = middle;
      else low = middle + 1;
    }
    const found = filled[low];
    if (found !== undefined && found.upTo >= rank) return found.valueS;
    throw new RangeError(`the histogram holds ${found?.upTo ?? 0} values, not ${this.count}`);
  }

  /** The buckets that hold something, ascending. */
  buckets(): readonly HistogramBucket[] {
    return this.#filled();
  }

  #filled(): readonly Filled[] {
    if (this.#known !== null) return this.#known;
    const counts = this.#dense();
    const filled: Filled[] = [];
    let upTo = 0;
    for (let index = 0; upTo < counts.totalCount && index < counts.countsArrayLength; index += 1) {
      const count = counts.getCountAtIndex(index);
      if (count === 0) continue;
      upTo += count;
      const lowestUs = counts.valueFromIndex(index);
      const valueS = counts.highestEquivalentValue(lowestUs) / MICROSECONDS_PER_S;
      filled.push({ valueS, count, lowestUs, middleUs: counts.medianEquivalentValue(lowestUs), upTo });
    }
    this.#known = filled;
    return filled;
  }

  #dense(): JsHistogram {
    if (this.#counts !== null) return this.#counts;
    const counts = emptyCounts();
    for (const { lowestUs, count } of this.#known ?? []) counts.recordValueWithCount(lowestUs, count);
    this.#counts = counts;
    return counts;
  }
}

/** One histogram of all that several encoded ones hold. */
export function mergeHistograms(encoded: readonly string[]): LatencyHistogram {
  return LatencyHistogram.merged(encoded.map((one) => LatencyHistogram.decode(one)));
}

function emptyCounts(): JsHistogram {
  return plain(
    build({
      bitBucketSize: 32,
      autoResize: false,
      useWebAssembly: false,
      lowestDiscernibleValue: SHORTEST_US,
      highestTrackableValue: LONGEST_US,
      numberOfSignificantValueDigits: SIGNIFICANT_DIGITS,
    }),
  );
}

/** HdrHistogram V2, whatever the size of a word says, and the same compressed. */
const COOKIE = 0x1c849303;
const COMPRESSED_COOKIE = 0x1c849304;
const WORD_SIZE = 0xf0;
const HEAD_BYTES = 40;
/** Of 3 significant digits: the lowest 2048 values have a bucket each, then 1024 buckets are twice as wide each time. */
const HALF = 1024;

/**
 * The filled buckets of what a histogram of this kind was encoded into; null for another kind. The library fills all buckets,
 * which for the few latencies of a second takes ten times as long, and a report reads thousands of them.
 */
function decodeOwn(encoded: string): readonly Filled[] | null {
  const packed = Buffer.from(encoded, 'base64');
  if ((packed.readInt32BE(0) & ~WORD_SIZE) !== COMPRESSED_COOKIE) return null;
  const bytes = inflateSync(packed.subarray(8, 8 + packed.readInt32BE(4)));
  const isOwn =
    (bytes.readInt32BE(0) & ~WORD_SIZE) === COOKIE &&
    bytes.readInt32BE(12) === SIGNIFICANT_DIGITS &&
    bytes.readBigInt64BE(16) === BigInt(SHORTEST_US) &&
    bytes.readBigInt64BE(24) === BigInt(LONGEST_US);
  if (!isOwn) return null;
  const filled: Filled[] = [];
  let [index, upTo] = [0, 0];
  for (let at = HEAD_BYTES, end = HEAD_BYTES + bytes.readInt32BE(4); at < end; ) {
    // A number in steps of 7 bits: twice the count, or an odd one for so many empty buckets.
    let [number, scale, byte] = [0, 1, 0];
    do {
      byte = bytes.readUInt8(at);
      number += (byte & 0x7f) * scale;
      scale *= 0x80;
      at += 1;
    } while (byte >= 0x80);
    const isEmpty = number % 2 === 1;
    const count = isEmpty ? 0 : number / 2;
    if (count > 0) {
      upTo += count;
      filled.push({ ...bucketAt(index), count, upTo });
    }
    index += isEmpty ? (number + 1) / 2 : 1;
  }
  return filled;
}

function bucketAt(index: number): Pick<Filled, 'valueS' | 'lowestUs' | 'middleUs'> {
  const doublings = Math.max(0, Math.floor(index / HALF) - 1);
  const widthUs = 2 ** doublings;
  const lowestUs = (index - doublings * HALF) * widthUs;
  if (lowestUs > LONGEST_US) throw new RangeError(`a latency of ${lowestUs} us is beyond the histogram`);
  return {
    valueS: (lowestUs + widthUs - 1) / MICROSECONDS_PER_S,
    lowestUs,
    middleUs: lowestUs + Math.floor(widthUs / 2),
  };
}

function mergeFilled(ones: readonly Filled[], others: readonly Filled[]): readonly Filled[] {
  if (ones.length === 0) return others;
  const merged: Filled[] = [];
  let upTo = 0;
  for (let [left, right] = [0, 0]; left < ones.length || right < others.length; ) {
    const [one, other] = [ones[left], others[right]];
    const lowestUs = Math.min(one?.lowestUs ?? Number.POSITIVE_INFINITY, other?.lowestUs ?? Number.POSITIVE_INFINITY);
    const [isOne, isOther] = [one?.lowestUs === lowestUs, other?.lowestUs === lowestUs];
    const count = (isOne ? (one?.count ?? 0) : 0) + (isOther ? (other?.count ?? 0) : 0);
    upTo += count;
    merged.push({ ...((isOne ? one : other) as Filled), count, upTo });
    if (isOne) left += 1;
    if (isOther) right += 1;
  }
  return merged;
}

function nearestEnd(latencyUs: number): number {
  if (Number.isNaN(latencyUs)) throw new RangeError('a latency must be a number of seconds, but is NaN');
  return latencyUs >= LONGEST_US ? LONGEST_US : SHORTEST_US;
}

function plain(histogram: object): JsHistogram {
  if (histogram instanceof JsHistogram) return histogram;
  throw new TypeError('a histogram without WebAssembly was asked for');
}
