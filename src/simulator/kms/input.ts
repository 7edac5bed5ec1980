import type { EncryptionContext } from "./encryption-context.ts";
import { KmsFault } from "./kms-fault.ts";

const MAX_CONTEXT_CHARACTERS = 8_192;

/** Reads the members of one request; each answer is checked, each mistake a `KmsFault` in AWS's form. */
export class KmsInput {
  readonly #members: Readonly<Record<string, unknown>>;

  constructor(members: Readonly<Record<string, unknown>>) {
    this.#members = members;
  }

  /** @throws `KmsFault` with `SerializationException` for a body that is not a JSON object. */
  static parse(body: Uint8Array): KmsInput {
    let members: unknown;
    try {
      members = body.length === 0 ? {} : JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
    } catch (error) {
      throw serialization(`The body is not JSON: ${(error as Error).message}`);
    }
    if (!isRecord(members)) throw serialization("The body is not a JSON object");
    return new KmsInput(members);
  }

  /** A text, or undefined when it was not sent. */
  optionalText(name: string, allowed?: readonly string[]): string | undefined {
    const value = this.#members[name] ?? undefined;
    if (value === undefined) return undefined;
    if (typeof value !== "string") throw serialization(`${name} must be a string`);
    if (allowed !== undefined && !allowed.includes(value)) {
      throw invalid(name, value, `Member must satisfy enum value set: [${allowed.join(", ")}]`);
    }
    return value;
  }

  text(name: string): string {
    const value = this.optionalText(name);
    if (value === undefined) throw missing(name);
    if (value === "") throw invalid(name, value, "Member must have length greater than or equal to 1");
    return value;
  }

  /** A whole number, or undefined when it was not sent. */
  integer(name: string, min: number, max: number): number | undefined {
    const value = this.#members[name] ?? undefined;
    if (value === undefined) return undefined;
    if (!Number.isInteger(value)) throw serialization(`${name} must be a whole number`);
    const number = value as number;
    if (number < min) throw invalid(name, number, `Member must have value greater than or equal to ${min}`);
    if (number > max) throw invalid(name, number, `Member must have value less than or equal to ${max}`);
    return number;
  }

  /** A list of texts; undefined when it was not sent. */
  optionalTexts(name: string): readonly string[] | undefined {
    const value = this.#members[name] ?? undefined;
    if (value === undefined) return undefined;
    if (!Array.isArray(value) || !value.every((entry) => typeof entry === "string")) {
      throw serialization(`${name} must be a list of strings`);
    }
    return value;
  }

  /** The members of an object that is one; none when it was not sent. */
  structure(name: string): KmsInput | undefined {
    const value = this.#members[name] ?? undefined;
    if (value === undefined) return undefined;
    if (!isRecord(value)) throw serialization(`${name} must be an object`);
    return new KmsInput(value);
  }

  flag(name: string): boolean {
    const value = this.#members[name] ?? false;
    if (typeof value !== "boolean") throw serialization(`${name} must be true or false`);
    return value;
  }

  /** Bytes sent as base64. */
  bytes(name: string, maxBytes: number): Uint8Array {
    const text = this.optionalText(name);
    if (text === undefined) throw missing(name);
    const bytes = Buffer.from(text, "base64");
    if (bytes.toString("base64").replace(/=+$/, "") !== text.replace(/=+$/, "")) {
      throw serialization(`${name} is not base64`);
    }
    if (bytes.length === 0) throw invalid(name, "", "Member must have length greater than or equal to 1");
    // The value stays out of the message: it may be a secret.
    if (bytes.length > maxBytes) {
      throw invalid(name, "****", `Member must have length less than or equal to ${maxBytes}`);
    }
    return bytes;
  }

  /** An encryption context; empty when none was sent. */
  context(name = "EncryptionContext"): EncryptionContext {
    return this.optionalContext(name) ?? {};
  }

  /** An encryption context; undefined when none was sent. */
  optionalContext(name: string): EncryptionContext | undefined {
    const value = this.#members[name] ?? undefined;
    if (value === undefined) return undefined;
    if (!isRecord(value) || Object.values(value).some((entry) => typeof entry !== "string")) {
      throw serialization(`${name} must be an object of strings`);
    }
    if (JSON.stringify(value).length > MAX_CONTEXT_CHARACTERS) {
      const message = `${name} is longer than ${MAX_CONTEXT_CHARACTERS} characters`;
      throw new KmsFault("ValidationException", message);
    }
    return value as EncryptionContext;
  }

  /** @throws `KmsFault` when that member was sent: the simulator cannot do what it asks for. */
  refuse(name: string): void {
    if ((this.#members[name] ?? undefined) !== undefined) {
      throw new KmsFault("UnsupportedOperationException", `The simulator does not support ${name}`);
    }
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function serialization(message: string): KmsFault {
  return new KmsFault("SerializationException", message);
}

function missing(name: string): KmsFault {
  return new KmsFault(
    "ValidationException",
    `1 validation error detected: Value null at '${memberPath(name)}' failed to satisfy constraint: Member must not be null`,
  );
}

function invalid(name: string, value: string | number, constraint: string): KmsFault {
  return new KmsFault(
    "ValidationException",
    `1 validation error detected: Value '${value}' at '${memberPath(name)}' failed to satisfy constraint: ${constraint}`,
  );
}

/** AWS names members in such messages with a small first letter. */
function memberPath(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}
