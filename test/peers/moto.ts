import { join } from "node:path";
import type { Peer } from "./peer.ts";
import { installPython } from "./python.ts";
import { startServer } from "./server.ts";

const VERSION = "5.2.5";

/** moto: an emulator of AWS in Python. Keeps the flag, checks neither signatures nor keys. */
export const moto: Peer = {
  name: "moto",
  version: VERSION,
  async start() {
    const bin = await installPython({
      name: `moto-${VERSION}`,
      packages: [`moto[s3,kms]==${VERSION}`, "flask", "flask-cors"],
    });
    return startServer({
      name: `moto ${VERSION}`,
      command: join(bin, "moto_server"),
      args: (address) => ["-H", "127.0.0.1", "-p", address.replace(/^.*:/, "")],
      isUp: "/moto-api/",
      // It takes any; these mean nothing.
      credentials: { accessKeyId: "test", secretAccessKey: "test" },
    });
  },
};
