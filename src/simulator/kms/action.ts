import type { KmsCaller } from "./caller.ts";
import type { KmsInput } from "./input.ts";
import type { KeyStore } from "./key-store.ts";

/** What one action answers: the JSON of the answer, nothing for an empty one. */
export type KmsAction = (
  store: KeyStore,
  input: KmsInput,
  caller: KmsCaller,
) => Readonly<Record<string, unknown>> | undefined;
