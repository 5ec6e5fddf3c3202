import { join, resolve } from "node:path";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { KinesisClient } from "@aws-sdk/client-kinesis";
import { S3Client } from "@aws-sdk/client-s3";
import { SQSClient } from "@aws-sdk/client-sqs";
import { environmentVariables, serviceUrlVariable } from "../contracts/environment.ts";
import { type Assembly, loadAssembly, type Resource, resourcesOf } from "./assembly/load.ts";
import { ControlServer } from "./control/control-server.ts";
import { controlsOf } from "./control/controls.ts";
import { Emulator, type EmulatorName } from "./emulators/emulator.ts";
import { createBucket, createQueue, createStream, createTable } from "./emulators/resources.ts";
import { Environment } from "./functions/environment.ts";
import { LambdaFunction, UnreservedConcurrency } from "./functions/function.ts";
import { ApiServer } from "./http/api-server.ts";
import { Cluster } from "./kafka/cluster.ts";
import { kafkaJars } from "./kafka/jars.ts";
import { LambdaApi } from "./lambda-api/lambda-api.ts";
import { Link } from "./links/link.ts";
import type { EventSourceMapping } from "./mappings/event-source-mapping.ts";
import { makeMappings } from "./mappings/start.ts";
import { Notices } from "./notices/notices.ts";
import { planApi } from "./plan/apis.ts";
import { planFunctions } from "./plan/functions.ts";
import { ownCheckpoints, ownTraces } from "./plan/own-settings.ts";
import { displayNames, Plan, TABLE_TYPES } from "./plan/plan.ts";
import { planServices } from "./plan/services.ts";
import { standInsOf } from "./plan/stand-ins.ts";
import type { Ready } from "./ready.ts";
import { RunDirectory } from "./run-directory.ts";
import { makeSchedules, type Schedule } from "./schedules/schedule.ts";
import { Service, type ServiceDefinition } from "./services/service.ts";

/** The concurrency a new AWS account has for its functions (Lambda quotas). */
const UNRESERVED_CONCURRENCY = 10;

/** Any key will do: nothing here checks a signature. */
const CREDENTIALS = { AWS_ACCESS_KEY_ID: "local", AWS_SECRET_ACCESS_KEY: "local" };

export interface PlatformOptions {
  /** The cloud assembly's directory. */
  readonly assembly: string;
  readonly brokers: number;
  /** Prints every child's output. */
  readonly verbose: boolean;
  /** Leaves event source mappings and schedules out, so that no function runs unasked. */
  readonly withoutMappings: boolean;
  /** How long it takes until a mapping is enabled or disabled. */
  readonly mappingChangeMs: number;
  /** Environment variables for every service, beside those of its template. */
  readonly serviceSettings: Readonly<Record<string, string>>;
  readonly say: (line: string) => void;
}

/** A run of a cloud assembly on this machine. */
export class Platform {
  readonly #options: PlatformOptions;
  readonly #assembly: Assembly;
  /** Undefined where the assembly has no Kafka. */
  readonly #jars: string | undefined;
  readonly #directory: RunDirectory;
  readonly links = new Map<string, Link>();
  readonly apiServers = new Map<Resource, ApiServer>();
  readonly emulators = new Map<EmulatorName, Emulator>();
  readonly functions = new Map<Resource, LambdaFunction>();
  readonly services = new Map<string, Service>();
  mappings: ReadonlyMap<string, EventSourceMapping> = new Map();
  readonly warnings: string[] = [];
  cluster: Cluster | undefined;
  plan!: Plan;
  environment: Readonly<Record<string, string>> = {};
  #schedules: readonly Schedule[] = [];
  #lambdaApi: LambdaApi | undefined;
  notices: Notices | undefined;
  #control: ControlServer | undefined;

  private constructor(options: PlatformOptions, assembly: Assembly, jars: string | undefined) {
    this.#options = options;
    this.#assembly = assembly;
    this.#jars = jars;
    this.#directory = new RunDirectory();
  }

  /** Checks the assembly and the machine. Nothing is started yet, but jars may be fetched. See errors.ts. */
  static async prepare(options: PlatformOptions): Promise<Platform> {
    const assembly = loadAssembly(resolve(options.assembly));
    const withKafka = resourcesOf(assembly, "AWS::MSK::Cluster").length > 0;
    return new Platform(options, assembly, withKafka ? await kafkaJars(options.say) : undefined);
  }

  get runDirectory(): string {
    return this.#directory.path;
  }

  get bootstrapServers(): string {
    return this.brokerLinks.map(({ address }) => address).join(",");
  }

  get brokerLinks(): Link[] {
    return [...this.links.values()].filter(({ name }) => name.startsWith("broker-"));
  }

  /** Starts everything and resolves once it can be used. After a failure {@link stop} clears what was started. */
  async start(): Promise<Ready> {
    await this.#openDoors();
    const definitions = await this.#readPlan();
    await Promise.all([
      this.#startKafka(),
      ...[...this.emulators.keys()].map((name) => this.#startEmulator(name)),
    ]);
    this.#openApis();
    this.notices?.open(this.plan, this.functions, this.#options.say);
    if (!this.#options.withoutMappings) {
      await this.#startMappings();
      this.#startSchedules();
    }
    this.#startServices(definitions);
    this.#control = await ControlServer.listen(controlsOf(this));
    return this.#ready(this.#control.url);
  }

  /**
   * In order: no new requests, no new invocations, services leave, and only then what they need goes. One part that
   * fails to stop does not keep the others.
   */
  async stop(): Promise<void> {
    await this.#inOrder([
      () => [...this.apiServers.values()].map((server) => server.close()),
      () => [
        ...this.#schedules.map((schedule) => schedule.stop()),
        ...[...this.mappings.values()].map((mapping) => mapping.stop()),
        ...[...this.services.values()].map((service) => service.stop()),
      ],
      () => [this.notices?.close()],
      () => [...this.functions.values()].map((lambda) => lambda.stop()),
      () => [this.cluster?.stop(), ...[...this.emulators.values()].map((emulator) => emulator.stop())],
      () => [
        ...[...this.links.values()].map((link) => link.close()),
        this.#lambdaApi?.close(),
        this.#control?.close(),
      ],
    ]);
    this.#directory.remove();
  }

  async #inOrder(stages: readonly (() => readonly (Promise<void> | undefined)[])[]): Promise<void> {
    for (const stage of stages) {
      for (const result of await Promise.allSettled(stage())) {
        if (result.status === "rejected") this.#options.say(`Not stopped cleanly: ${String(result.reason)}`);
      }
    }
  }

  #startServices(definitions: readonly ServiceDefinition[]): void {
    const { verbose, say } = this.#options;
    for (const definition of definitions) {
      const logFile = (index: number): string => join(this.#logs, `${definition.name}-${index}.log`);
      const service = new Service(definition, { logFile, verbose, say });
      this.services.set(definition.name, service);
      service.start();
    }
  }

  get #logs(): string {
    return this.#directory.directory("logs");
  }

  /** Everything that has an address listens before anything is resolved, as values are made of addresses. */
  async #openDoors(): Promise<void> {
    const { brokers, verbose } = this.#options;
    const withKafka = this.#jars !== undefined;
    const has = (...types: readonly string[]): boolean => resourcesOf(this.#assembly, ...types).length > 0;
    const names = Array.from({ length: withKafka ? brokers : 0 }, (_, index) => `broker-${index + 1}`);
    const emulators: [EmulatorName, string[]][] = [];
    if (has(...TABLE_TYPES)) emulators.push(["dynamodb", ["dynamodb"]]);
    if (has("AWS::S3::Bucket", "AWS::SQS::Queue")) emulators.push(["s3-sqs", ["s3", "sqs"]]);
    if (has("AWS::Kinesis::Stream")) emulators.push(["kinesis", ["kinesis"]]);
    for (const service of standInsOf(this.#assembly)) emulators.push([service, [service]]);
    for (const name of [...names, ...emulators.flatMap(([, links]) => links)]) {
      this.links.set(name, await Link.open(name));
    }
    for (const [name, links] of emulators) {
      const { region } = this.#assembly;
      const onLost = (line: string): void => this.#warn(line);
      const options = { name, region, logDirectory: this.#logs, verbose, onLost };
      this.emulators.set(
        name,
        new Emulator(
          options,
          links.map((link) => this.links.get(link)!),
        ),
      );
    }
    for (const api of resourcesOf(this.#assembly, "AWS::ApiGatewayV2::Api")) {
      this.apiServers.set(api, await ApiServer.listen());
    }
    this.#lambdaApi = await LambdaApi.listen();
    this.notices = await Notices.listen();
    this.environment = {
      AWS_REGION: this.#assembly.region,
      ...CREDENTIALS,
      AWS_ENDPOINT_URL_LAMBDA: this.#lambdaApi.url,
      ...this.notices.environment,
    };
    for (const name of ["dynamodb", "s3", "sqs", "kinesis"]) {
      const link = this.links.get(name);
      if (link === undefined) continue;
      this.environment = { ...this.environment, [`AWS_ENDPOINT_URL_${name.toUpperCase()}`]: link.url };
    }
  }

  /** Resolves every value the run needs, so that a mistake in the assembly is found before a process is started. */
  async #readPlan(): Promise<ServiceDefinition[]> {
    this.plan = new Plan(this.#assembly, {
      region: this.#assembly.region,
      sqsEndpoint: this.links.get("sqs")?.url ?? "",
      bootstrapServers: this.bootstrapServers,
      apiUrl: (api) => this.apiServers.get(api)?.url ?? "",
    });
    const warn = (line: string): void => this.#warn(line);
    this.plan.unsupported().forEach(warn);
    const { verbose, serviceSettings } = this.#options;
    const unreserved = new UnreservedConcurrency(UNRESERVED_CONCURRENCY);
    const code = join(this.runDirectory, "code");
    const compileCache = this.#directory.directory("compile-cache");
    const settingsOfFunctions = {
      common: this.environment,
      urls: { [environmentVariables.webhookUrl]: this.notices?.webhookUrl ?? "", ...ownTraces() },
    };
    for (const { resource, label, definition } of planFunctions(this.plan, settingsOfFunctions, code, warn)) {
      const logFile = join(this.#logs, `${label}.log`);
      const start = (): Environment => new Environment(definition, { logFile, verbose, compileCache });
      this.functions.set(resource, new LambdaFunction(definition, start, unreserved));
    }
    const settings = {
      common: { ...this.environment, ...serviceSettings },
      urls: {
        ...ownTraces(),
        ...ownCheckpoints,
        ...Object.fromEntries(
          standInsOf(this.#assembly).map((service) => [
            serviceUrlVariable(service),
            this.links.get(service)!.url,
          ]),
        ),
      },
    };
    return planServices(this.plan, settings, join(this.runDirectory, "images"), warn);
  }

  async #startKafka(): Promise<void> {
    if (this.#jars === undefined) return;
    const { brokers, verbose, say } = this.#options;
    const { topics, serverProperties } = this.plan.kafka(brokers);
    say(
      `Kafka: ${brokers} broker${brokers === 1 ? "" : "s"}; topics keep at most ${brokers} replica${brokers === 1 ? "" : "s"} here, and min.insync.replicas is capped with it.`,
    );
    this.cluster = await Cluster.create({
      jars: this.#jars,
      directory: this.#directory.directory("kafka"),
      logDirectory: this.#logs,
      verbose,
      links: this.brokerLinks,
      onLost: (line) => this.#warn(line),
      properties: serverProperties,
    });
    await this.cluster.start();
    await this.cluster.createTopics(topics);
  }

  async #startEmulator(name: EmulatorName): Promise<void> {
    await this.emulators.get(name)!.start();
    const { plan } = this;
    switch (name) {
      case "dynamodb": {
        const client = new DynamoDBClient(this.#client("dynamodb"));
        await Promise.all(
          plan.storage(...TABLE_TYPES).map((table) => createTable(client, table.name, table.properties)),
        );
        return;
      }
      case "s3-sqs": {
        const s3 = new S3Client({ ...this.#client("s3"), forcePathStyle: true });
        const sqs = new SQSClient(this.#client("sqs"));
        await Promise.all([
          ...plan.storage("AWS::S3::Bucket").map((bucket) => createBucket(s3, bucket.name)),
          ...plan.storage("AWS::SQS::Queue").map((queue) => createQueue(sqs, queue.name, queue.properties)),
        ]);
        return;
      }
      case "kinesis": {
        const client = new KinesisClient(this.#client("kinesis"));
        const streams = plan.storage("AWS::Kinesis::Stream");
        await Promise.all(streams.map((stream) => createStream(client, stream.name, stream.properties)));
        return;
      }
      case "geolocation":
        return;
    }
  }

  #client(link: string) {
    return {
      endpoint: this.links.get(link)?.url ?? "",
      region: this.#assembly.region,
      credentials: { accessKeyId: "local", secretAccessKey: "local" },
    };
  }

  #openApis(): void {
    let unsigned = 0;
    for (const [api, server] of this.apiServers) {
      const { host } = new URL(server.url);
      const { identity, routes, limit } = planApi(this.plan, api, host, (line) => this.#warn(line));
      unsigned += routes.filter(({ signed }) => signed).length;
      const targets = routes.flatMap((route) => {
        const target = this.functions.get(route.function);
        return target === undefined ? [] : [{ ...route, target }];
      });
      server.open(identity, targets, limit);
    }
    if (unsigned > 0) {
      this.#options.say(
        `${unsigned} routes with IAM authorization take unsigned calls here; AWS would refuse them.`,
      );
    }
  }

  async #startMappings(): Promise<void> {
    this.mappings = makeMappings({
      plan: this.plan,
      functions: this.functions,
      bootstrapServers: this.bootstrapServers,
      sqs: new SQSClient(this.#client("sqs")),
      s3: new S3Client({ ...this.#client("s3"), forcePathStyle: true }),
      kinesis: new KinesisClient(this.#client("kinesis")),
      changeMs: this.#options.mappingChangeMs,
      warn: (line) => this.#options.say(line),
    });
    const mappings = [...this.mappings.values()];
    this.#lambdaApi?.open(mappings);
    await Promise.all(mappings.map((mapping) => mapping.start()));
  }

  #startSchedules(): void {
    this.#schedules = makeSchedules(this.plan, this.functions, (line) => this.#options.say(line));
    for (const schedule of this.#schedules) schedule.start();
  }

  #ready(controlUrl: string): Ready {
    const apis = displayNames([...this.apiServers.keys()]);
    const urls = [...this.apiServers].map(([api, server]) => [apis.get(api)!, server.url] as const);
    const routes = [...this.apiServers].flatMap(([, server]) =>
      server.routeKeys.map((routeKey) => [routeKey, server.url] as const),
    );
    const names = (...types: readonly string[]): Record<string, string> =>
      Object.fromEntries(this.plan.storage(...types).map(({ logicalId, name }) => [logicalId, name]));
    return {
      ready: true,
      controlUrl,
      apis: Object.fromEntries(urls),
      routes: Object.fromEntries(routes),
      bootstrapServers: this.bootstrapServers,
      tables: names(...TABLE_TYPES),
      buckets: names("AWS::S3::Bucket"),
      services: [...this.services.keys()],
      environment: this.environment,
      runDirectory: this.runDirectory,
    };
  }

  #warn(line: string): void {
    this.warnings.push(line);
    this.#options.say(`Warning: ${line}`);
  }
}
