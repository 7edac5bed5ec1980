import { simulator } from "./simulator.ts";
import { describePeer } from "./suite.ts";

describePeer(simulator);
