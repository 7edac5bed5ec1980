import { moto } from "./moto.ts";
import { describePeer } from "./suite.ts";

describePeer(moto);
