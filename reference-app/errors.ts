/** An answer other than success that a client may see: becomes `{ success: false, message, code }`. */
export class ApiError extends Error {
  readonly statusCode: number;
  readonly code: string;
  /** Whole seconds for the Retry-After header. */
  readonly retryAfterS: number | undefined;

  constructor(statusCode: number, code: string, message: string, retryAfterS?: number) {
    super(message);
    this.name = 'ApiError';
    this.statusCode = statusCode;
    this.code = code;
    this.retryAfterS = retryAfterS;
  }
}
