/** How an HTTP API chooses a route: most specific path, then exact method, greedy paths, `$default` last. */

export interface Route {
  /** `GET /results/{pipeline}/{key}`, `ANY /{proxy+}` or `$default`. */
  readonly routeKey: string;
}

const DEFAULT_ROUTE = "$default";

/** The route for a request and its decoded path parameters; undefined means the gateway's 404. */
export function matchRoute<R extends Route>(
  routes: readonly R[],
  method: string,
  path: string,
): { readonly route: R; readonly pathParameters: Record<string, string> } | undefined {
  let best: { route: R; pathParameters: Record<string, string>; rank: string } | undefined;
  for (const route of routes) {
    if (route.routeKey === DEFAULT_ROUTE) continue;
    const [routeMethod = "", routePath = ""] = route.routeKey.split(" ");
    if (routeMethod !== "ANY" && routeMethod !== method) continue;
    const pathParameters = matchPath(routePath, path);
    if (pathParameters === undefined) continue;
    const rank = specificity(routePath) + (routeMethod === "ANY" ? "1" : "0");
    if (best === undefined || rank < best.rank) best = { route, pathParameters, rank };
  }
  if (best !== undefined) return best;
  const fallback = routes.find(({ routeKey }) => routeKey === DEFAULT_ROUTE);
  return fallback && { route: fallback, pathParameters: {} };
}

function matchPath(routePath: string, path: string): Record<string, string> | undefined {
  const wanted = segments(routePath);
  const given = segments(path);
  const parameters: Record<string, string> = {};
  for (const [index, segment] of wanted.entries()) {
    const variable = /^\{(.+?)(\+?)\}$/.exec(segment);
    if (variable?.[2] === "+") {
      if (given.length <= index) return undefined;
      parameters[variable[1]!] = decode(given.slice(index).join("/"));
      return parameters;
    }
    const actual = given[index];
    if (actual === undefined) return undefined;
    if (variable !== null) parameters[variable[1]!] = decode(actual);
    else if (decode(actual) !== segment) return undefined;
  }
  return given.length === wanted.length ? parameters : undefined;
}

/** Compares as text, smallest first: per segment a literal before a variable before a greedy variable. */
const specificity = (routePath: string): string =>
  segments(routePath)
    .map((segment) => (segment.endsWith("+}") ? "2" : segment.startsWith("{") ? "1" : "0"))
    .join("");

const segments = (path: string): string[] => path.replace(/^\//, "").split("/");

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
