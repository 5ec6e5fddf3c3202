/** Services of others that pipelines ask, which something here stands in for. */
import { serviceUrlVariable } from "../../contracts/environment.ts";
import { arrayOf, objectOf, textOf } from "../assembly/json.ts";
import { type Assembly, resourcesOf } from "../assembly/load.ts";

const STAND_INS = ["geolocation"] as const;

export type StandIn = (typeof STAND_INS)[number];

/** Those whose URL some container of the assembly is given. */
export function standInsOf(assembly: Assembly): StandIn[] {
  const containers = resourcesOf(assembly, "AWS::ECS::TaskDefinition").flatMap(({ properties }) =>
    arrayOf(properties.ContainerDefinitions).map(objectOf),
  );
  const variables = new Set(
    containers.flatMap(({ Environment }) => arrayOf(Environment).map((each) => textOf(objectOf(each).Name))),
  );
  return STAND_INS.filter((service) => variables.has(serviceUrlVariable(service)));
}
