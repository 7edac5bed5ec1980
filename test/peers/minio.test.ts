import { minio } from "./minio.ts";
import { describePeer } from "./suite.ts";

describePeer(minio);
