/**
 * An error as KMS answers it: AWS's code, AWS's words where they are known, and the HTTP status.
 *
 * S3 passes the ones about keys on with `KMS.` before the code (E1 to E4).
 */
export class KmsFault extends Error {
  override readonly name = "KmsFault";
  /** AWS's code, such as `NotFoundException`. */
  readonly code: string;
  /** HTTP status; KMS answers nearly all with 400. */
  readonly status: number;

  constructor(code: string, message: string, status = 400) {
    super(message);
    this.code = code;
    this.status = status;
  }
}
