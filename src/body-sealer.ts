/**
 * The side of client-side encryption that the middleware knows; `s3-bucket-keys/envelope` will implement it.
 *
 * Until then a place that a policy seals refuses every request (`refused-seal`).
 *
 * @public
 */
export interface BodySealer {
  /** Names the implementation in errors and statistics. */
  readonly name: string;
}
