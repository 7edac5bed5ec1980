import { createHmac, hash, timingSafeEqual } from "node:crypto";

/** What a signing key is good for: one day, one region, one service. */
export interface CredentialScope {
  /** `YYYYMMDD`. */
  readonly date: string;
  readonly region: string;
  readonly service: string;
}

export const EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

const MAX_KEPT = 1_000;

/** Signing keys (SigV4, "Deriving the signing key"), kept: four HMACs for each would be most of a verification. */
export class SigningKeys {
  readonly #kept = new Map<string, Buffer>();

  keyOf(secretAccessKey: string, scope: CredentialScope): Buffer {
    const name = `${secretAccessKey}\n${scopeText(scope)}`;
    const kept = this.#kept.get(name);
    if (kept !== undefined) return kept;
    const steps = [scope.date, scope.region, scope.service, "aws4_request"];
    const key = steps.reduce<Buffer>(hmac, Buffer.from(`AWS4${secretAccessKey}`));
    if (this.#kept.size >= MAX_KEPT) this.#kept.clear();
    this.#kept.set(name, key);
    return key;
  }
}

export function scopeText({ date, region, service }: CredentialScope): string {
  return `${date}/${region}/${service}/aws4_request`;
}

/** The signature of a text, in hex. */
export function sign(signingKey: Buffer, text: string): string {
  return createHmac("sha256", signingKey).update(text).digest("hex");
}

/** Hex; the text's characters are bytes, as they came over the wire. */
export function sha256OfLatin1(text: string): string {
  return hash("sha256", Buffer.from(text, "latin1"), "hex");
}

/** Compares in a time that does not tell where the difference is. */
export function isSameSignature(computed: string, said: string): boolean {
  const [a, b] = [Buffer.from(computed), Buffer.from(said)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
