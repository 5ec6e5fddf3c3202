/** Who sends, as the gateway or the stream has established it; nothing a sender says of itself counts. */
import { EVENT_HEADERS } from "../../contracts/cloudevent.ts";
import { PRODUCER_HEADER, type ProducerRule, type SubjectLimit } from "../../contracts/producers.ts";
import { TRACEPARENT, traceIdOf } from "../../contracts/traceparent.ts";

export interface Producer {
  /** An IAM principal, a JWT's subject, a door's name. */
  readonly name: string;
  readonly maySend: (type: string) => boolean;
  /** Its own, by its rule or its tokens' subject. @default the environment's for every producer */
  readonly maxEventsPerSecond?: number;
  /** Of each Kafka record that its events become; one object for all of them. */
  readonly headers: Readonly<Record<string, string>>;
}

/** A producer that may send some types, or all of them. */
export function producer(
  name: string,
  types: readonly string[] | "any",
  maxEventsPerSecond?: number,
): Producer {
  const set = types === "any" ? undefined : new Set(types);
  return {
    name,
    maySend: (type) => set === undefined || set.has(type),
    ...(maxEventsPerSecond !== undefined && { maxEventsPerSecond }),
    headers: { ...EVENT_HEADERS, [PRODUCER_HEADER]: name },
  };
}

/** The same with the trace context of what it sends, where that is one; an event's own attribute comes before it. */
export function traced(sender: Producer, traceparent: string | undefined): Producer {
  if (traceparent === undefined || traceIdOf(traceparent) === undefined) return sender;
  return { ...sender, headers: { ...sender.headers, [TRACEPARENT]: traceparent } };
}

/** A JWT's scope for one type is `events:<type>`, for all of them `events:*`. */
const SCOPE_PREFIX = "events:";
const ANY_SCOPE = `${SCOPE_PREFIX}*`;

/** Signed by nobody: only the local platform lets such a call through. */
const UNSIGNED = "unsigned";

/** Whether anybody has checked who it is. */
export const isAuthenticated = ({ name }: Producer): boolean => name !== UNSIGNED;

/** What API Gateway adds to a request whose caller it has checked (payload format 2.0). */
export interface Authorizer {
  readonly iam?: { readonly userArn?: string | null };
  readonly jwt?: {
    readonly claims: Readonly<Record<string, unknown>>;
    readonly scopes?: readonly string[] | null;
  };
}

export interface CallerContext {
  readonly authorizer?: Authorizer;
}

/**
 * Who a request is from. Callers with an IAM signature may send what the rule of their role says, and everything where
 * the environment has no rules at all; callers with a token, what its scopes say, and as much as the limit of its subject.
 */
export function producerOf(
  context: CallerContext | undefined,
  rules: readonly ProducerRule[],
  subjectLimits: readonly SubjectLimit[] = [],
): Producer {
  const { iam, jwt } = context?.authorizer ?? {};
  if (jwt) {
    const scopes = scopesOf(jwt);
    const types = scopes.filter((scope) => scope.startsWith(SCOPE_PREFIX));
    const subject = String(jwt.claims.sub ?? jwt.claims.client_id ?? "");
    return producer(
      `jwt:${subject}`,
      types.includes(ANY_SCOPE) ? "any" : types.map((scope) => scope.slice(SCOPE_PREFIX.length)),
      subjectLimits.find((limit) => limit.subject === subject)?.eventsPerSecond,
    );
  }
  const arn = iam?.userArn ?? UNSIGNED;
  const rule = rules.find(({ principal }) => principal === principalOf(arn));
  return producer(arn, rules.length === 0 ? "any" : (rule?.eventTypes ?? []), rule?.eventsPerSecond);
}

/** API Gateway fills `scopes` only for routes that name some; the claim holds them all, as text or as a list. */
function scopesOf({ claims, scopes }: NonNullable<Authorizer["jwt"]>): readonly string[] {
  if (scopes?.length) return scopes;
  const claim = claims.scope ?? claims.scp;
  if (Array.isArray(claim)) return claim.map(String);
  // API Gateway writes lists as `[a b]`.
  return typeof claim === "string" ? claim.replace(/^\[|\]$/g, "").split(/[\s,]+/) : [];
}

/**
 * A role's session is the role: `arn:aws:sts::1:assumed-role/name/session` → `arn:aws:iam::1:role/name`. A user's path is
 * left out, as a role's session does not tell its role's.
 */
function principalOf(arn: string): string {
  const session = /^arn:([^:]+):sts::(\d+):assumed-role\/([^/]+)\//.exec(arn);
  if (session) return `arn:${session[1]}:iam::${session[2]}:role/${session[3]}`;
  return arn.replace(/^(arn:[^:]+:iam::\d+:user\/)(?:[^/]+\/)+/, "$1");
}
