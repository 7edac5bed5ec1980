import { localstack } from "./localstack.ts";
import { describePeer } from "./suite.ts";

describePeer(localstack);
