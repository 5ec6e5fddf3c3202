import { AssemblyError } from "../errors.ts";
import { zoneNames } from "../zones.ts";
import { arrayOf, isObject, type Json, type JsonObject, objectOf, textOf } from "./json.ts";
import type { Assembly, Resource, Stack } from "./load.ts";

/** What Ref (no attribute) and Fn::GetAtt give for a resource; undefined where this platform has no such value. */
export type Identify = (resource: Resource, attribute?: string) => Json | undefined;

/** Where a value stands, for error messages. */
interface Place {
  readonly stack: Stack;
  readonly path: string;
}

const NO_VALUE = Symbol("AWS::NoValue");

/** Resolves CloudFormation's intrinsic functions to local values. */
export class Resolver {
  readonly #assembly: Assembly;
  readonly #identify: Identify;
  readonly #pseudoParameters: Readonly<Record<string, string>>;
  readonly #resolved = new Map<Resource, JsonObject>();
  readonly #resolving = new Set<Resource>();

  constructor(assembly: Assembly, accountId: string, identify: Identify) {
    this.#assembly = assembly;
    this.#identify = identify;
    this.#pseudoParameters = {
      "AWS::AccountId": accountId,
      "AWS::Region": assembly.region,
      "AWS::Partition": "aws",
      "AWS::URLSuffix": "amazonaws.com",
    };
  }

  /** A resource's properties with every intrinsic function resolved. Throws AssemblyError, naming the place. */
  properties(resource: Resource): JsonObject {
    const known = this.#resolved.get(resource);
    if (known !== undefined) return known;
    if (this.#resolving.has(resource)) {
      throw new AssemblyError(
        `${placeOf(resource)} refers to itself; a template like this would not deploy.`,
      );
    }
    this.#resolving.add(resource);
    try {
      const properties = objectOf(
        this.resolve(resource.stack, resource.properties, `resource ${resource.logicalId}, Properties`),
      );
      this.#resolved.set(resource, properties);
      return properties;
    } finally {
      this.#resolving.delete(resource);
    }
  }

  /** One property of a resource; others may stay unresolvable. */
  property(resource: Resource, name: string): Json | undefined {
    const value = resource.properties[name];
    if (value === undefined) return undefined;
    const path = `resource ${resource.logicalId}, Properties.${name}`;
    const resolved = this.#value({ stack: resource.stack, path }, value);
    return resolved === NO_VALUE ? undefined : resolved;
  }

  /** Whether a resource's condition, if it has one, holds. */
  exists(resource: Resource): boolean {
    return (
      resource.condition === undefined ||
      this.#condition({ stack: resource.stack, path: `Conditions.${resource.condition}` }, resource.condition)
    );
  }

  resolve(stack: Stack, value: Json, path: string): Json {
    const resolved = this.#value({ stack, path }, value);
    return resolved === NO_VALUE ? null : resolved;
  }

  #value(place: Place, value: Json): Json | typeof NO_VALUE {
    if (Array.isArray(value)) {
      return (value as readonly Json[])
        .map((item, index) => this.#value(inside(place, `[${index}]`), item))
        .filter((item) => item !== NO_VALUE);
    }
    if (!isObject(value)) return value;
    const [name, ...others] = Object.keys(value);
    if (name !== undefined && others.length === 0 && (name === "Ref" || name.startsWith("Fn::"))) {
      return this.#function(inside(place, `.${name}`), name, value[name] ?? null);
    }
    const entries: [string, Json][] = [];
    for (const [key, item] of Object.entries(value)) {
      const resolved = this.#value(inside(place, `.${key}`), item);
      if (resolved !== NO_VALUE) entries.push([key, resolved]);
    }
    return Object.fromEntries(entries);
  }

  #function(place: Place, name: string, argument: Json): Json | typeof NO_VALUE {
    switch (name) {
      case "Ref":
        return this.#ref(place, textOf(argument) ?? "");
      case "Fn::GetAtt":
        return this.#attribute(place, argument);
      case "Fn::Sub":
        return this.#substitute(place, argument);
      case "Fn::ImportValue":
        return this.#import(place, this.#text(place, argument));
      case "Fn::If": {
        const [condition, whenTrue, whenFalse] = arrayOf(argument);
        const holds = this.#condition(place, textOf(condition) ?? "");
        return this.#value(place, (holds ? whenTrue : whenFalse) ?? null);
      }
      case "Fn::FindInMap": {
        const [map, first, second] = arrayOf(argument).map((item) => this.#text(place, item));
        const found = objectOf(objectOf(place.stack.mappings[map ?? ""])[first ?? ""])[second ?? ""];
        if (found === undefined) fail(place, `the mapping ${map} has no ${first}.${second}`);
        return found;
      }
      default:
        return this.#pure(place, name, argument);
    }
  }

  /** Functions of their arguments alone. */
  #pure(place: Place, name: string, argument: Json): Json {
    const value = this.resolve(place.stack, argument, place.path);
    const items = arrayOf(value);
    switch (name) {
      case "Fn::Join":
        return arrayOf(items[1])
          .map((item) => this.#text(place, item))
          .join(textOf(items[0]) ?? "");
      case "Fn::Split":
        return this.#text(place, items[1] ?? null).split(textOf(items[0]) ?? "");
      case "Fn::Select": {
        const selected = arrayOf(items[1])[Number(items[0])];
        if (selected === undefined) fail(place, `there is no item ${String(items[0])}`);
        return selected;
      }
      case "Fn::Base64":
        return Buffer.from(this.#text(place, value)).toString("base64");
      case "Fn::GetAZs":
        return zoneNames(this.#assembly.region);
      default:
        return fail(place, `${name} is not supported`);
    }
  }

  #ref(place: Place, name: string): Json | typeof NO_VALUE {
    if (name === "AWS::NoValue") return NO_VALUE;
    if (name === "AWS::StackName") return place.stack.name;
    const pseudo = this.#pseudoParameters[name];
    if (pseudo !== undefined) return pseudo;
    if (name === "AWS::StackId") return `arn:aws:cloudformation:local:stack/${place.stack.name}`;
    if (place.stack.parameters[name] !== undefined) {
      const value = objectOf(place.stack.parameters[name]).Default;
      if (value === undefined)
        fail(place, `the parameter ${name} has no default, and none can be given locally`);
      return value;
    }
    const resource = place.stack.resources.get(name);
    if (resource === undefined) return fail(place, `the stack has no resource or parameter ${name}`);
    return this.#identify(resource) ?? fail(place, `${resource.type} ${name} has no local value`);
  }

  #attribute(place: Place, argument: Json): Json {
    const [name, ...rest] =
      typeof argument === "string"
        ? argument.split(".")
        : arrayOf(argument).map((item) => this.#text(place, item));
    const attribute = rest.join(".");
    const resource = place.stack.resources.get(name ?? "");
    if (resource === undefined) return fail(place, `the stack has no resource ${name}`);
    return (
      this.#identify(resource, attribute) ??
      fail(place, `${resource.type} ${name} has no local value for ${attribute}`)
    );
  }

  #substitute(place: Place, argument: Json): string {
    const [template, variables] = Array.isArray(argument) ? (argument as readonly Json[]) : [argument];
    const given = objectOf(variables);
    return (textOf(template) ?? "").replace(/\$\{(!?)([^}]+)\}/g, (_, literal: string, name: string) => {
      if (literal === "!") return `\${${name}}`;
      const own = given[name];
      if (own !== undefined) return this.#text(place, own);
      return this.#text(place, name.includes(".") ? { "Fn::GetAtt": name } : { Ref: name });
    });
  }

  #import(place: Place, name: string): Json {
    for (const stack of this.#assembly.stacks) {
      for (const [key, output] of Object.entries(stack.outputs)) {
        const exported = objectOf(output).Export;
        if (exported === undefined) continue;
        const at = { stack, path: `Outputs.${key}` };
        if (this.#text(at, objectOf(exported).Name ?? "") === name) {
          return this.resolve(stack, objectOf(output).Value ?? "", at.path);
        }
      }
    }
    return fail(place, `no stack exports ${name}`);
  }

  #condition(place: Place, condition: Json): boolean {
    if (typeof condition === "string") {
      const definition = place.stack.conditions[condition];
      if (definition === undefined) return fail(place, `the stack has no condition ${condition}`);
      return this.#condition({ ...place, path: `Conditions.${condition}` }, definition);
    }
    const [name] = Object.keys(objectOf(condition));
    const argument = objectOf(condition)[name ?? ""] ?? null;
    switch (name) {
      case "Condition":
        return this.#condition(place, argument);
      case "Fn::Equals": {
        const [left, right] = arrayOf(argument).map((item) => this.#text(place, item));
        return left === right;
      }
      case "Fn::Not":
        return !this.#condition(place, arrayOf(argument)[0] ?? null);
      case "Fn::And":
        return arrayOf(argument).every((item) => this.#condition(place, item));
      case "Fn::Or":
        return arrayOf(argument).some((item) => this.#condition(place, item));
      default:
        return fail(place, `${name} is not a condition this platform can judge`);
    }
  }

  #text(place: Place, value: Json): string {
    const resolved = this.resolve(place.stack, value, place.path);
    if (typeof resolved === "boolean") return String(resolved);
    return textOf(resolved) ?? fail(place, "the value is not text");
  }
}

const inside = ({ stack, path }: Place, step: string): Place => ({ stack, path: `${path}${step}` });

const placeOf = (resource: Resource): string =>
  `Stack ${resource.stack.name}, resource ${resource.logicalId}`;

function fail(place: Place, reason: string): never {
  throw new AssemblyError(
    `Stack ${place.stack.name}, ${place.path}: ${reason}. ` +
      "Change the stack, or teach local/assembly this value.",
  );
}
