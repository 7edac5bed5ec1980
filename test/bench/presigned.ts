/** A presigned URL with its headers, against the SDK's URL alone. */
import type { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import type * as Presigned from "../../src/presigned/index.ts";
import { built, type Bench } from "./bench.ts";
import { interleave, type Arm } from "./interleave.ts";
import { medianRatio } from "./statistics.ts";
import { putWithFlag, stubS3 } from "./stub-s3.ts";

/** What signs one command after another with one client. */
type Sign = (client: S3Client, command: PutObjectCommand) => Promise<unknown>;

function signs(sign: Sign): Arm {
  const client = stubS3();
  return () => {
    const command = putWithFlag("acme-lake");
    return () => sign(client, command);
  };
}

export const presigned: Bench = async ({ quick, dist }) => {
  const { presignedUrl } = await built<typeof Presigned>(dist, "presigned/index.js");
  const times = await interleave({
    ...(quick ? { blocks: 8, iterations: 50, warmUp: 20 } : { blocks: 40, iterations: 100, warmUp: 50 }),
    arms: () => ({ floor: signs(getSignedUrl), control: signs(getSignedUrl), ours: signs(presignedUrl) }),
  });
  return [
    {
      what: "presignedUrl, with the headers that an uploader must send, against getSignedUrl",
      measured: medianRatio(times.ours, times.floor),
      unit: "ratio",
      bar: { atMost: 1.05 },
      control: medianRatio(times.control, times.floor),
    },
  ];
};
