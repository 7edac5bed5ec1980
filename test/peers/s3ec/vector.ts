/** The shape of the object vectors in `test/vectors`. */

export interface VectorFile {
  /** Who wrote the objects, and under which licence that program is. */
  readonly source: string;
  /** Wrapped data keys, in base64, and what KMS Decrypt answers when asked with that context. */
  readonly kms: Readonly<Record<string, KmsAnswer>>;
  readonly objects: readonly Vector[];
}

export interface KmsAnswer {
  /** Base64. */
  readonly plaintext: string;
  readonly encryptionContext: Readonly<Record<string, string>>;
  readonly keyId: string;
}

export interface Vector {
  readonly name: string;
  readonly format: "V3" | "V2" | "V1";
  readonly size: number;
  /** What the writer was given, and a reader has to give. */
  readonly userContext: Readonly<Record<string, string>>;
  /** Set where the stored context is no longer the one KMS was told, so that nobody can open the object. */
  readonly contextLost?: true;
  readonly plaintextSha256: string;
  /** Base64, as stored. */
  readonly body: string;
  /** User metadata as the AWS SDK for JavaScript gives them. */
  readonly metadata: Readonly<Record<string, string>>;
  /** The object beside it, named with `.instruction` at the end. */
  readonly instructionFile?: {
    readonly body: string;
    readonly metadata: Readonly<Record<string, string>>;
  };
}
