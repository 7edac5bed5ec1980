import { randomBytes, randomUUID } from "node:crypto";
import type { VirtualClock } from "../clock.ts";
import { ClientCalls } from "./client-calls.ts";
import { KeyAccess } from "./key-access.ts";
import { KmsFault } from "./kms-fault.ts";
import { KmsThrottle } from "./throttle.ts";

export { KmsFault } from "./kms-fault.ts";

const DAY_MS = 24 * 60 * 60 * 1_000;
/** The alias of the AWS managed key that S3 uses when a request names none (R9 to R11). */
const S3_ALIAS = "alias/aws/s3";

/**
 * State of a KMS key.
 *
 * @public
 */
export type KeyState = "Enabled" | "Disabled" | "PendingDeletion";

/**
 * A symmetric KMS key of the simulator.
 *
 * @public
 */
export interface KmsKey {
  /** UUID, or `mrk-` and 32 hex digits. */
  readonly id: string;
  /** `arn:aws:kms:REGION:ACCOUNT:key/ID`. */
  readonly arn: string;
  /** As given to CreateKey. */
  readonly description: string;
  /** `AWS` for keys that a service owns: their state cannot be changed. */
  readonly manager: "AWS" | "CUSTOMER";
  /** When it was made, in milliseconds of the simulator's clock. */
  readonly createdMs: number;
  /** Only `Enabled` keys encrypt and decrypt. */
  readonly state: KeyState;
  /** When a `PendingDeletion` key goes away, in milliseconds of the simulator's clock. */
  readonly deletionMs?: number;
}

type StoredKey = { -readonly [Field in keyof KmsKey]: KmsKey[Field] };

/** An alias and the key it stands for. */
export interface KmsAlias {
  /** With its `alias/`. */
  readonly name: string;
  readonly arn: string;
  readonly targetKeyId: string;
  readonly createdMs: number;
  readonly updatedMs: number;
}

/**
 * The KMS keys and aliases of one account in one region.
 *
 * Names resolve as in KMS: key id, key ARN, alias name, alias ARN. A key pending deletion is gone once the
 * clock passes its date, and its aliases with it.
 *
 * @example
 * const keys = new KeyStore({ region: "eu-west-1", accountId: "111122223333", clock: new VirtualClock() });
 * const key = keys.createKey();
 * keys.createAlias("alias/data-lake", key.id);
 * keys.usable("alias/data-lake").arn; // the key's ARN; throws once the key is disabled
 */
export class KeyStore {
  readonly region: string;
  readonly accountId: string;
  /** What clients asked of KMS themselves; requests that S3 makes are in the `KmsLedger`. */
  readonly calls: ClientCalls = new ClientCalls();
  /** Who may do what to the keys. */
  readonly access: KeyAccess;
  readonly throttle: KmsThrottle;
  readonly #clock: VirtualClock;
  readonly #keys = new Map<string, StoredKey>();
  readonly #secrets = new Map<string, Uint8Array>();
  readonly #aliases = new Map<string, KmsAlias>();

  constructor(options: Readonly<{ region: string; accountId: string; clock: VirtualClock }>) {
    this.region = options.region;
    this.accountId = options.accountId;
    this.#clock = options.clock;
    this.access = new KeyAccess(options);
    this.throttle = new KmsThrottle(options.clock);
  }

  /**
   * @param options - `id` fixes the key's id; left out, it is a random UUID.
   * @throws `KmsFault` with `AlreadyExistsException` for an id that is taken.
   */
  createKey(options: Readonly<{ id?: string; description?: string; multiRegion?: boolean }> = {}): KmsKey {
    const random = options.multiRegion === true ? `mrk-${randomBytes(16).toString("hex")}` : randomUUID();
    return this.#addKey(options.id ?? random, options.description ?? "", "CUSTOMER");
  }

  /** The key behind `alias/aws/s3`, made when it is first asked for. */
  awsManagedS3Key(): KmsKey {
    const alias = this.#aliases.get(S3_ALIAS);
    if (alias !== undefined) return this.#keyById(alias.targetKeyId);
    const description = "Default key that protects my S3 objects when no other key is defined";
    const key = this.#addKey(randomUUID(), description, "AWS");
    this.#putAlias(S3_ALIAS, key.id);
    return key;
  }

  /**
   * The key of that name, whatever its state.
   *
   * @param name - Key id, key ARN, alias name (`alias/...`) or alias ARN.
   * @throws `KmsFault` with `NotFoundException` and AWS's words (E1, E2): also for another region or account.
   */
  resolve(name: string): KmsKey {
    const id = this.#localName(name);
    if (id.startsWith("alias/")) return this.#resolveAlias(id);
    if (!/^(mrk-[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i.test(id) && !this.#keys.has(id)) {
      throw notFound(`Invalid keyId '${id}'`);
    }
    return this.#keyById(id);
  }

  /**
   * The key of that name, when it can encrypt and decrypt now.
   *
   * @throws `KmsFault` as `resolve`; `DisabledException` (E3); `KMSInvalidStateException` (E4).
   */
  usable(name: string): KmsKey {
    const key = this.resolve(name);
    switch (key.state) {
      case "Enabled":
        return key;
      case "Disabled":
        throw new KmsFault("DisabledException", `${key.arn} is disabled.`);
      case "PendingDeletion":
        throw pendingDeletion(key);
    }
  }

  /** Whether a key of that id exists, in whatever state. */
  has(id: string): boolean {
    this.#dropDeleted();
    return this.#keys.has(id);
  }

  /** All keys, oldest first. */
  keys(): readonly KmsKey[] {
    this.#dropDeleted();
    return [...this.#keys.values()];
  }

  /** The ARN of an alias of that name, whether there is one or not. */
  aliasArn(name: string): string {
    return name.startsWith("arn:") ? name : this.#arn(name);
  }

  /** Milliseconds of the simulator's clock. */
  nowMs(): number {
    return this.#clock.nowMs();
  }

  /** Takes back a key that was only just made. */
  discard(key: KmsKey): void {
    this.#keys.delete(key.id);
    this.#secrets.delete(key.id);
  }

  /** All aliases, by name. */
  aliases(): readonly KmsAlias[] {
    this.#dropDeleted();
    return [...this.#aliases.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** @throws `KmsFault` for a name that is taken, reserved or malformed, and for a key that does not exist. */
  createAlias(name: string, keyName: string): void {
    requireCustomerAlias(name);
    const key = this.aliasTarget(keyName);
    if (this.#aliases.has(name)) {
      const message = `An alias with the name ${this.#arn(name)} already exists`;
      throw new KmsFault("AlreadyExistsException", message);
    }
    this.#putAlias(name, key.id);
  }

  /** Points an existing alias at another key. */
  updateAlias(name: string, keyName: string): void {
    requireCustomerAlias(name);
    this.#resolveAlias(name);
    this.#putAlias(name, this.aliasTarget(keyName).id);
  }

  deleteAlias(name: string): void {
    requireCustomerAlias(name);
    this.#resolveAlias(name);
    this.#aliases.delete(name);
  }

  enableKey(name: string): void {
    const key = this.#changeable(name);
    if (key.state === "PendingDeletion") throw pendingDeletion(key);
    key.state = "Enabled";
  }

  disableKey(name: string): void {
    const key = this.#changeable(name);
    if (key.state === "PendingDeletion") throw pendingDeletion(key);
    key.state = "Disabled";
  }

  /** @param days - 7 to 30; the key is gone once the clock has passed that many days. */
  scheduleDeletion(name: string, days = 30): KmsKey {
    const key = this.#changeable(name);
    if (key.state === "PendingDeletion") throw pendingDeletion(key);
    key.state = "PendingDeletion";
    key.deletionMs = this.#clock.nowMs() + days * DAY_MS;
    return key;
  }

  /** The key stays, disabled. */
  cancelDeletion(name: string): KmsKey {
    const key = this.#changeable(name);
    if (key.state !== "PendingDeletion") {
      throw new KmsFault("KMSInvalidStateException", `${key.arn} is not pending deletion.`);
    }
    key.state = "Disabled";
    delete key.deletionMs;
    return key;
  }

  /** The key that an alias is to point at: never named by an alias. */
  aliasTarget(keyName: string): KmsKey {
    if (keyName.includes("alias/")) {
      throw new KmsFault("ValidationException", "Aliases must refer to keys. Not aliases");
    }
    return this.resolve(keyName);
  }

  /**
   * The key of that name, when its owner may change it.
   *
   * @throws `KmsFault` as `resolve`; for an alias; `AccessDeniedException` for a key that AWS manages.
   */
  changeable(name: string): KmsKey {
    return this.#changeable(name);
  }

  /** 32 bytes that encrypt under this key; they never leave the process. */
  secretOf(key: KmsKey): Uint8Array {
    return this.#secrets.get(key.id) as Uint8Array;
  }

  #addKey(id: string, description: string, manager: KmsKey["manager"]): KmsKey {
    if (this.has(id)) throw new KmsFault("AlreadyExistsException", `There is a key of the id ${id}`);
    const createdMs = this.#clock.nowMs();
    const arn = this.#arn(`key/${id}`);
    const key: StoredKey = { id, arn, description, manager, createdMs, state: "Enabled" };
    this.#keys.set(id, key);
    this.#secrets.set(id, randomBytes(32));
    return key;
  }

  #putAlias(name: string, targetKeyId: string): void {
    const updatedMs = this.#clock.nowMs();
    const createdMs = this.#aliases.get(name)?.createdMs ?? updatedMs;
    this.#aliases.set(name, { name, arn: this.#arn(name), targetKeyId, createdMs, updatedMs });
  }

  /** What stands behind an ARN of this region and account; other names as they are. */
  #localName(name: string): string {
    if (!name.startsWith("arn:")) return name;
    const [, , service, region = "", account, ...rest] = name.split(":");
    const resource = rest.join(":");
    if (service !== "kms" || region !== this.region) throw notFound(`Invalid arn ${region}`);
    if (account !== this.accountId || !/^(key|alias)\/./.test(resource)) throw this.#missing(name);
    return resource.startsWith("key/") ? resource.slice("key/".length) : resource;
  }

  #resolveAlias(name: string): StoredKey {
    this.#dropDeleted();
    if (name === S3_ALIAS) this.awsManagedS3Key();
    const alias = this.#aliases.get(name);
    if (alias === undefined) throw notFound(`Alias ${this.#arn(name)} is not found.`);
    return this.#keyById(alias.targetKeyId);
  }

  #keyById(id: string): StoredKey {
    this.#dropDeleted();
    const key = this.#keys.get(id);
    if (key === undefined) throw this.#missing(this.#arn(`key/${id}`));
    return key;
  }

  #changeable(name: string): StoredKey {
    const id = this.#localName(name);
    if (id.startsWith("alias/")) throw notFound(`Invalid keyId ${name}`);
    const key = this.#keyById(this.resolve(id).id);
    if (key.manager === "AWS") {
      throw new KmsFault(
        "AccessDeniedException",
        `${key.arn} is managed by AWS: its state cannot be changed`,
      );
    }
    return key;
  }

  #dropDeleted(): void {
    const nowMs = this.#clock.nowMs();
    for (const key of this.#keys.values()) {
      if (key.deletionMs === undefined || key.deletionMs > nowMs) continue;
      this.#keys.delete(key.id);
      this.#secrets.delete(key.id);
      for (const alias of this.#aliases.values()) {
        if (alias.targetKeyId === key.id) this.#aliases.delete(alias.name);
      }
    }
  }

  #arn(resource: string): string {
    return `arn:aws:kms:${this.region}:${this.accountId}:${resource}`;
  }

  #missing(arn: string): KmsFault {
    return notFound(`Key '${arn}' does not exist`);
  }
}

function notFound(message: string): KmsFault {
  return new KmsFault("NotFoundException", message);
}

function pendingDeletion(key: KmsKey): KmsFault {
  return new KmsFault("KMSInvalidStateException", `${key.arn} is pending deletion.`);
}

/** @throws `KmsFault` for a name that no customer can give an alias. */
export function requireCustomerAlias(name: string): void {
  if (!name.startsWith("alias/")) throw new KmsFault("ValidationException", "Invalid identifier");
  if (name.startsWith("alias/aws/")) {
    throw new KmsFault("NotAuthorizedException", "alias/aws/ is reserved for keys that AWS manages");
  }
  if (!/^alias\/[a-zA-Z0-9/_-]{1,250}$/.test(name)) {
    throw new KmsFault(
      "InvalidAliasNameException",
      `${name} contains invalid characters for an alias: use a-z, A-Z, 0-9, /, _ and -`,
    );
  }
}
