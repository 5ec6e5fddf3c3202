/** Reads a module's imports from its syntax tree: static, dynamic, type-only, and re-exports. */
import { posix } from "node:path";
import { parseAst } from "vitest/node";

/** What a dynamic import of anything but a literal is reported as. */
export const COMPUTED = "(computed)";

export interface Module {
  /** From the repository's root, with `/`. */
  readonly path: string;
  /** Paths from the root for relative imports, specifiers as they are for packages, or {@link COMPUTED}. */
  readonly imports: readonly string[];
  /** Whether all it does is to pass on what other modules export. */
  readonly isBarrel: boolean;
}

/** Parses one module; throws the parser's error, with its position, where that fails. */
export function readModule(path: string, source: string): Module {
  const tree = parseAst(source, { lang: "ts" });
  const specifiers: string[] = [];
  visit(tree, (node) => {
    const specifier = specifierOf(node);
    if (specifier !== undefined) specifiers.push(specifier);
  });
  return {
    path,
    imports: specifiers.map((specifier) =>
      specifier.startsWith(".") ? posix.join(posix.dirname(path), specifier) : specifier,
    ),
    isBarrel: tree.body.some(isReexport) && tree.body.every((node) => isReexport(node) || isImport(node)),
  };
}

type Node = Readonly<Record<string, unknown>>;

function visit(value: unknown, act: (node: Node) => void): void {
  if (Array.isArray(value)) for (const item of value) visit(item, act);
  else if (typeof value === "object" && value !== null) {
    act(value as Node);
    for (const child of Object.values(value)) visit(child, act);
  }
}

function specifierOf(node: Node): string | undefined {
  switch (node.type) {
    case "ImportDeclaration":
    case "ExportAllDeclaration":
    case "ExportNamedDeclaration":
    case "TSImportType":
      return literal(node.source);
    case "ImportExpression":
      return literal(node.source) ?? resolved(node.source) ?? COMPUTED;
    case "TSExternalModuleReference":
      return literal(node.expression);
    default:
      return undefined;
  }
}

function literal(node: unknown): string | undefined {
  const value = (node as Node | null | undefined)?.value;
  return typeof value === "string" ? value : undefined;
}

/** The argument of `import.meta.resolve("…")`, the only call there is on a module's own meta data. */
function resolved(node: unknown): string | undefined {
  const call = node as { callee?: { object?: Node }; arguments?: readonly unknown[] } | null | undefined;
  return call?.callee?.object?.type === "MetaProperty" ? literal(call.arguments?.[0]) : undefined;
}

const isImport = ({ type }: { type: string }) => type === "ImportDeclaration";

const isReexport = (node: { type: string; declaration?: unknown }) =>
  node.type === "ExportAllDeclaration" || (node.type === "ExportNamedDeclaration" && !node.declaration);
