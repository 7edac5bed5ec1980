/**
 * Who counts as one requester for bucket keys (section 10.5): all sessions of a role are that role.
 *
 * AWS counts a session of its own only when its session policy differs; the simulator has no session policies.
 * That this holds for writes too is assumed (U5).
 *
 * @param requester - ARN of a user, a role's session or an account's root; another text is itself.
 */
export function requesterIdentity(requester: string): string {
  const session = /^arn:([^:]+):sts::(\d+):assumed-role\/([^/]+)\//.exec(requester);
  return session === null ? requester : `arn:${session[1]}:iam::${session[2]}:role/${session[3]}`;
}
