/** Complete envelopes of every format, made up: their base64 is right, their keys open nothing. */

export const base64 = (bytes: number, fill: number): string => Buffer.alloc(bytes, fill).toString("base64");

export const V3 = {
  "x-amz-c": "115",
  "x-amz-3": base64(184, 3),
  "x-amz-w": "12",
  "x-amz-i": base64(28, 1),
  "x-amz-d": base64(28, 4),
  "x-amz-t": '{"aws:x-amz-cek-alg":"115","tenant":"blue"}',
};

export const V3_RAW_KEY = {
  "x-amz-c": "115",
  "x-amz-3": base64(60, 3),
  "x-amz-w": "02",
  "x-amz-i": base64(28, 1),
  "x-amz-d": base64(28, 4),
  "x-amz-m": '{"purpose":"test"}',
};

export const V2 = {
  "x-amz-key-v2": base64(184, 2),
  "x-amz-iv": base64(12, 9),
  "x-amz-matdesc": '{"aws:x-amz-cek-alg":"AES/GCM/NoPadding","tenant":"blue"}',
  "x-amz-wrap-alg": "kms+context",
  "x-amz-cek-alg": "AES/GCM/NoPadding",
  "x-amz-tag-len": "128",
};

/** As Amazon SES stores messages. */
export const V2_KMS = {
  "x-amz-key-v2": base64(184, 2),
  "x-amz-iv": base64(12, 9),
  "x-amz-matdesc": '{"kms_cmk_id":"1234","aws:ses:message-id":"m1"}',
  "x-amz-wrap-alg": "kms",
  "x-amz-cek-alg": "AES/GCM/NoPadding",
  "x-amz-tag-len": "128",
  "x-amz-unencrypted-content-length": "1000",
};

export const V2_CBC = {
  "x-amz-key-v2": base64(184, 2),
  "x-amz-iv": base64(16, 9),
  "x-amz-matdesc": '{"kms_cmk_id":"1234"}',
  "x-amz-wrap-alg": "kms",
  "x-amz-cek-alg": "AES/CBC/PKCS5Padding",
};

export const V1 = {
  "x-amz-key": base64(48, 1),
  "x-amz-iv": base64(16, 9),
  "x-amz-matdesc": "{}",
};

type Values = Readonly<Record<string, string>>;

/** A copy without some names. */
export function without(values: Values, ...names: readonly string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(values).filter(([name]) => !names.includes(name)));
}

/** A copy with only some names. */
export function only(values: Values, ...names: readonly string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(values).filter(([name]) => names.includes(name)));
}
