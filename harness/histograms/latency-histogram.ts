import { build, decodeFromCompressedBase64, encodeIntoCompressedBase64, JsHistogram } from 'hdr-histogram-js';

const MICROSECONDS_PER_S = 1e6;
const SHORTEST_US = 1;
const LONGEST_US = 3_600_000_000;

export interface HistogramBucket {
  /** The largest latency that falls into the bucket. */
  readonly valueS: number;
  readonly count: number;
}

/**
 * Latencies from 1 us to 1 h in buckets at most 0.1 % wide: an HdrHistogram of integer microseconds with 3 significant
 * digits. Histograms merge without loss, which percentiles do not. Each value that is read back is the upper edge of its
 * bucket, as HdrHistogram has it, so it is at most 0.1 % above what was recorded, and never below.
 */
export class LatencyHistogram {
  readonly #counts: JsHistogram;

  private constructor(counts: JsHistogram) {
    this.#counts = counts;
  }

  static empty(): LatencyHistogram {
    const counts = build({
      bitBucketSize: 32,
      autoResize: false,
      useWebAssembly: false,
      lowestDiscernibleValue: SHORTEST_US,
      highestTrackableValue: LONGEST_US,
      numberOfSignificantValueDigits: 3,
    });
    return new LatencyHistogram(plain(counts));
  }

  /** Reads HdrHistogram V2 (compressed, base64), of any maker. Throws a RangeError for anything else. */
  static decode(encoded: string): LatencyHistogram {
    try {
      return new LatencyHistogram(plain(decodeFromCompressedBase64(encoded, 32, false, LONGEST_US)));
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
    const latencyUs = Math.round(latencyS * MICROSECONDS_PER_S);
    if (latencyUs > SHORTEST_US && latencyUs < LONGEST_US) this.#counts.recordValue(latencyUs);
    else this.#counts.recordValue(nearestEnd(latencyUs));
  }

  /** Adds everything the other one holds. */
  merge(other: LatencyHistogram): void {
    if (other.count > 0) this.#counts.add(other.#counts);
  }

  /** HdrHistogram V2, compressed, base64. */
  encode(): string {
    return encodeIntoCompressedBase64(this.#counts);
  }

  get count(): number {
    return this.#counts.totalCount;
  }

  /** From the middles of the buckets; 0 when empty. */
  get meanS(): number {
    if (this.count === 0) return 0;
    const counts = this.#counts;
    let sumUs = 0;
    // The library's own `mean` visits every bucket up to the highest: a hundred times slower for few values.
    for (const [index, count] of this.#filled()) {
      sumUs += count * counts.medianEquivalentValue(counts.valueFromIndex(index));
    }
    return sumUs / this.count / MICROSECONDS_PER_S;
  }

  /** 0 when empty. */
  get maxS(): number {
    return this.count === 0 ? 0 : this.#counts.highestEquivalentValue(this.#counts.maxValue) / MICROSECONDS_PER_S;
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
    let seen = 0;
    for (const bucket of this.buckets()) {
      seen += bucket.count;
      if (seen >= rank) return bucket.valueS;
    }
    throw new RangeError(`the histogram holds ${seen} values, not ${this.count}`);
  }

  /** The buckets that hold something, ascending. */
  *buckets(): Generator<HistogramBucket, void, undefined> {
    const counts = this.#counts;
    for (const [index, count] of this.#filled()) {
      yield { valueS: counts.highestEquivalentValue(counts.valueFromIndex(index)) / MICROSECONDS_PER_S, count };
    }
  }

  /** Position and count of the buckets that hold something, ascending. */
  *#filled(): Generator<readonly [index: number, count: number], void, undefined> {
    const counts = this.#counts;
    let unseen = counts.totalCount;
    for (let index = 0; unseen > 0 && index < counts.countsArrayLength; index += 1) {
      const count = counts.getCountAtIndex(index);
      if (count === 0) continue;
      unseen -= count;
      yield [index, count];
    }
  }
}

/** One histogram of all that several encoded ones hold. */
export function mergeHistograms(encoded: readonly string[]): LatencyHistogram {
  return LatencyHistogram.merged(encoded.map((one) => LatencyHistogram.decode(one)));
}

function nearestEnd(latencyUs: number): number {
  if (Number.isNaN(latencyUs)) throw new RangeError('a latency must be a number of seconds, but is NaN');
  return latencyUs >= LONGEST_US ? LONGEST_US : SHORTEST_US;
}

function plain(histogram: object): JsHistogram {
  if (histogram instanceof JsHistogram) return histogram;
  throw new TypeError('a histogram without WebAssembly was asked for');
}
