import { versitygw } from "./versitygw.ts";
import { describePeer } from "./suite.ts";

describePeer(versitygw);
