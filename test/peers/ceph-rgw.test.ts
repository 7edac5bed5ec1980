import { cephRgw } from "./ceph-rgw.ts";
import { describePeer } from "./suite.ts";

describePeer(cephRgw);
