/** s3-bucket-keys/envelope: client-side encryption with bucket keys. */
export type { CommitmentPolicy } from "./cache-key.ts";
export type { CacheOptions } from "./cache-options.ts";
export type { EncryptionContext } from "./encryption-context.ts";
export { envelope } from "./envelope.ts";
export type { Envelope } from "./envelope.ts";
export { EnvelopeIntegrityError, EnvelopeRefusedError, KeyringError, NotSealedError } from "./errors.ts";
export type { EnvelopeProblem } from "./errors.ts";
export { kmsKeyring } from "./keyring.ts";
export type { DataKey, Keyring, KmsClientLike, KmsKeyringOptions } from "./keyring.ts";
export { open } from "./open.ts";
export type {
  EnvelopeOptions,
  ObjectAddress,
  ObjectContent,
  ObjectHead,
  Place,
  WrappedLegacyKey,
} from "./options.ts";
export { seal } from "./seal.ts";
export type { BytesBody, PlaceOptions, SealedObject, StreamBody } from "./seal.ts";
