/**
 * Traces of one stage: spans of OpenTelemetry, one for a request or a batch and never one for an event. What begins here
 * is recorded by chance, at the environment's rate; what goes on is recorded where what it carries was. Nothing is
 * recorded, and nothing costs anything, without a rate and an endpoint (contracts/environment.ts).
 */
import {
  type Attributes,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  type Tracer,
  trace,
} from "@opentelemetry/api";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { AlwaysOnSampler, BasicTracerProvider } from "@opentelemetry/sdk-trace-base";
import { environmentVariables } from "../contracts/environment.ts";
import { formatTraceparent, parseTraceparent, type TraceContext } from "../contracts/traceparent.ts";
import { requireEnvironment } from "./environment.ts";
import { otlpSender } from "./otlp.ts";
import { SpanBuffer, type SpanBufferPorts } from "./span-buffer.ts";

/** Traces that one span may tell of; a batch holds a sampled request in some hundred, at a rate of 1 all of them. */
export const MAX_LINKS = 32;

/** A span that is recorded. */
export interface RecordedSpan {
  /** For what comes of it, as W3C Trace Context. */
  readonly traceparent: string;
  end(attributes?: Attributes): void;
  fail(error: unknown, attributes?: Attributes): void;
}

export interface Tracing {
  /**
   * What begins here. Undefined where it is not recorded: by chance, or because `parent`, whose trace it would go on
   * with, is not. A parent that is sampled has the same chance as what has none, whatever it asks for.
   */
  begin(name: string, parent: TraceContext | undefined, kind?: SpanKind): RecordedSpan | undefined;
  /**
   * A batch that goes on with what was recorded: a span of the first trace, which tells of the others. Undefined where
   * there is none.
   * @param traceparents at most {@link MAX_LINKS} of them are told of
   */
  continue(name: string, traceparents: Iterable<string>, kind?: SpanKind): RecordedSpan | undefined;
  /** Whether anything may be recorded: without it nobody needs to look for trace contexts. */
  readonly enabled: boolean;
  /** Sends what has ended, within the time. Never rejects. */
  flush(timeoutMs: number): Promise<void>;
}

export interface TracingOptions extends Pick<SpanBufferPorts, "onLost"> {
  readonly stage: string;
  /** From 0 up to 1, as Math.random. */
  readonly random?: () => number;
}

/** As the environment variables say. Throws ConfigurationError without an environment's name. */
export function createTracing({ stage, onLost, random = Math.random }: TracingOptions): Tracing {
  const endpoint = process.env[environmentVariables.otlpEndpoint] ?? "";
  const rate = Number(process.env[environmentVariables.traceSampleRate] ?? 0);
  if (endpoint === "" || !(rate > 0)) return nothingRecorded;
  const buffer = new SpanBuffer({ send: otlpSender(endpoint), onLost, now: Date.now });
  const provider = new BasicTracerProvider({
    // Who is asked to begin one has decided.
    sampler: new AlwaysOnSampler(),
    spanProcessors: [buffer],
    resource: resourceFromAttributes({
      "service.name": `spillway-${stage}`,
      "service.namespace": "spillway",
      "deployment.environment.name": requireEnvironment(environmentVariables.environment),
    }),
  });
  return recording(provider.getTracer("spillway"), () => random() < rate, buffer);
}

export const nothingRecorded: Tracing = {
  begin: () => undefined,
  continue: () => undefined,
  enabled: false,
  flush: async () => undefined,
};

const recording = (tracer: Tracer, isChosen: () => boolean, buffer: SpanBuffer): Tracing => ({
  enabled: true,
  begin: (name, parent, kind = SpanKind.SERVER) => {
    if (parent?.sampled === false || !isChosen()) return undefined;
    return recorded(tracer.startSpan(name, { kind }, contextOf(parent)));
  },
  continue: (name, traceparents, kind = SpanKind.CONSUMER) => {
    const contexts = sampledOf(traceparents);
    if (contexts.length === 0) return undefined;
    const links = contexts.map((each) => ({ context: spanContextOf(each) }));
    return recorded(tracer.startSpan(name, { kind, links }, contextOf(contexts[0])));
  },
  flush: (timeoutMs) => buffer.send(timeoutMs),
});

/** Does the work of a span, and ends it with what came of it. */
export async function within<Result>(
  span: RecordedSpan | undefined,
  work: () => Promise<Result>,
  attributesOf: (result: Result) => Attributes,
): Promise<Result> {
  if (span === undefined) return work();
  try {
    const result = await work();
    span.end(attributesOf(result));
    return result;
  } catch (error) {
    span.fail(error);
    throw error;
  }
}

/** Those that were recorded, of different spans. */
function sampledOf(traceparents: Iterable<string>): readonly TraceContext[] {
  const found = new Map<string, TraceContext>();
  for (const traceparent of traceparents) {
    if (found.size === MAX_LINKS) break;
    if (found.has(traceparent)) continue;
    const context = parseTraceparent(traceparent);
    if (context?.sampled) found.set(traceparent, context);
  }
  return [...found.values()];
}

const spanContextOf = ({ traceId, spanId }: TraceContext) => ({
  traceId,
  spanId,
  traceFlags: TraceFlags.SAMPLED,
  isRemote: true,
});

const contextOf = (parent: TraceContext | undefined) =>
  parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, spanContextOf(parent));

function recorded(span: Span): RecordedSpan {
  const { traceId, spanId } = span.spanContext();
  return {
    traceparent: formatTraceparent({ traceId, spanId, sampled: true }),
    end: (attributes = {}) => {
      span.setAttributes(attributes);
      span.end();
    },
    fail: (error, attributes = {}) => {
      span.setAttributes(attributes);
      // Its class and no message: that may hold what an event holds.
      span.setAttribute("error.type", error instanceof Error ? error.name : "unknown");
      span.setStatus({ code: SpanStatusCode.ERROR });
      span.end();
    },
  };
}
