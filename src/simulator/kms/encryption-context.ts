/** What a ciphertext is bound to; policies and grants can look at it. */
export type EncryptionContext = Readonly<Record<string, string>>;
