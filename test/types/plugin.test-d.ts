/**
 * Checked by the compiler alone (`npm run typecheck`, and again on the oldest client by the matrix): the plugin
 * goes wherever the SDK takes one, without its types being the SDK's.
 */
import type { PutObjectCommand, S3, S3Client } from "@aws-sdk/client-s3";
import type { constructStack } from "@smithy/core/client";
import type { MiddlewareStack, NodeJsClient, Pluggable } from "@smithy/types";
import type { BucketKeysOptions, BucketKeysPlugin, Policy, RequestFacts } from "../../src/index.ts";

declare const plugin: BucketKeysPlugin;

// The SDK's own type of a plugin.
plugin satisfies Pluggable<any, any>; // oxlint-disable-line typescript/no-explicit-any

// Every stack that a user can hold.
declare const client: S3Client;
client.middlewareStack.use(plugin);
declare const aggregated: S3;
aggregated.middlewareStack.use(plugin);
declare const narrowed: NodeJsClient<S3Client>;
narrowed.middlewareStack.use(plugin);
declare const command: PutObjectCommand;
command.middlewareStack.use(plugin);
declare const bare: ReturnType<typeof constructStack<object, object>>;
bare.use(plugin);
declare const anyStack: MiddlewareStack<object, object>;
plugin.applyToStack(anyStack);

// @ts-expect-error A policy isn't a plugin.
client.middlewareStack.use({ version: 1 } satisfies Policy);

// Under exactOptionalPropertyTypes an option is given or left out.
({ mode: "audit" }) satisfies BucketKeysOptions;
({}) satisfies BucketKeysOptions;
// @ts-expect-error `undefined` is not a mode.
({ mode: undefined }) satisfies BucketKeysOptions;
// @ts-expect-error The words are closed.
({ mode: "dry-run" }) satisfies BucketKeysOptions;
// @ts-expect-error `bucketKey` is a flag here, not a setting.
({ operation: "PutObject", bucket: "b", bucketKey: "on" }) satisfies RequestFacts;
