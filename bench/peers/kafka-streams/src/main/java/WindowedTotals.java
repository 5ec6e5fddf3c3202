import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Properties;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.EmitStrategy;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KGroupedStream;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.SessionWindows;
import org.apache.kafka.streams.kstream.Suppressed;
import org.apache.kafka.streams.kstream.Suppressed.BufferConfig;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.processor.StateStore;
import org.apache.kafka.streams.state.BuiltInDslStoreSuppliers;
import org.apache.kafka.streams.state.DslStoreSuppliers;

/**
 * Number, sum and largest amount of each key and window, as a Kafka Streams application that runs until SIGTERM. Its
 * options are system properties: see bench/streams/engines.ts.
 */
public final class WindowedTotals {
  public static final class Event {
    public String id;
    public String key;
    public long time;
    public long amount;
    public String kind;
    public String currency;
  }

  record Totals(long count, long sum, long max) {
    static final Totals NONE = new Totals(0, 0, Long.MIN_VALUE);

    Totals plus(long amount) {
      return new Totals(count + 1, sum + amount, Math.max(max, amount));
    }

    Totals plus(Totals other) {
      return new Totals(count + other.count, sum + other.sum, Math.max(max, other.max));
    }
  }

  private static final ObjectReader EVENTS = new ObjectMapper().readerFor(Event.class);
  /**
   * It emits once a second of the clock, which is many of event time when it catches up. By default what was not emitted
   * within the window and the grace may be gone from the store, and its result with it.
   */
  private static final Duration RETENTION = Duration.ofMinutes(30);
  /** Of a global window's results: the last moment that a date of ECMAScript's can hold. */
  private static final long END_OF_TIME_MS = 8_640_000_000_000_000L;
  private static final int TOTALS_BYTES = 3 * Long.BYTES;

  public static void main(String[] arguments) {
    Properties config = config();
    StreamsBuilder builder = new StreamsBuilder();
    KGroupedStream<String, Event> events =
        builder
            .stream(
                property("topic"),
                Consumed.with(Serdes.String(), eventSerde())
                    .withTimestampExtractor((record, before) -> ((Event) record.value()).time))
            .groupByKey(Grouped.with(Serdes.String(), eventSerde()));
    KStream<String, String> results =
        property("kind").equals("global") ? ofAllTime(events) : ofWindows(events);
    results.to(property("results"), Produced.with(Serdes.String(), Serdes.String()));
    KafkaStreams streams = new KafkaStreams(builder.build(config), config);
    streams.setUncaughtExceptionHandler(
        error -> {
          error.printStackTrace();
          Runtime.getRuntime().halt(1);
          return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
    Runtime.getRuntime().addShutdownHook(new Thread(() -> streams.close(Duration.ofSeconds(10))));
    streams.start();
  }

  /** At each update: of those between two commits the store's cache passes the last one on. */
  private static KStream<String, String> ofAllTime(KGroupedStream<String, Event> events) {
    return events
        .aggregate(() -> Totals.NONE, WindowedTotals::add, materialized())
        .toStream()
        .mapValues((key, totals) -> json(key, 0, END_OF_TIME_MS, totals));
  }

  private static KStream<String, String> ofWindows(KGroupedStream<String, Event> events) {
    long gapMs = Long.getLong("gapMs", 0);
    KTable<Windowed<String>, Totals> totals = gapMs > 0 ? sessions(events, gapMs) : windows(events);
    return totals
        .toStream()
        .filter((window, value) -> value != null)
        .map((window, value) -> KeyValue.pair(window.key(), json(window, value, gapMs)));
  }

  private static KTable<Windowed<String>, Totals> windows(KGroupedStream<String, Event> events) {
    TimeWindows windows = TimeWindows.ofSizeAndGrace(milliseconds("sizeMs"), milliseconds("graceMs"));
    if (Boolean.getBoolean("suppress")) {
      return events
          .windowedBy(windows.advanceBy(milliseconds("advanceMs")))
          .aggregate(() -> Totals.NONE, WindowedTotals::add, materialized())
          .suppress(Suppressed.untilWindowCloses(BufferConfig.unbounded()));
    }
    return events
        .windowedBy(windows.advanceBy(milliseconds("advanceMs")))
        .emitStrategy(EmitStrategy.onWindowClose())
        .aggregate(() -> Totals.NONE, WindowedTotals::add, materialized());
  }

  private static KTable<Windowed<String>, Totals> sessions(
      KGroupedStream<String, Event> events, long gapMs) {
    SessionWindows windows =
        SessionWindows.ofInactivityGapAndGrace(Duration.ofMillis(gapMs), milliseconds("graceMs"));
    if (Boolean.getBoolean("suppress")) {
      return events
          .windowedBy(windows)
          .aggregate(
              () -> Totals.NONE,
              WindowedTotals::add,
              (key, one, other) -> one.plus(other),
              materialized())
          .suppress(Suppressed.untilWindowCloses(BufferConfig.unbounded()));
    }
    return events
        .windowedBy(windows)
        .emitStrategy(EmitStrategy.onWindowClose())
        .aggregate(
            () -> Totals.NONE,
            WindowedTotals::add,
            (key, one, other) -> one.plus(other),
            materialized());
  }

  private static Totals add(String key, Event event, Totals totals) {
    return totals.plus(event.amount);
  }

  private static <Store extends StateStore> Materialized<String, Totals, Store> materialized() {
    DslStoreSuppliers stores =
        property("store").equals("rocksdb")
            ? new BuiltInDslStoreSuppliers.RocksDBDslStoreSuppliers()
            : new BuiltInDslStoreSuppliers.InMemoryDslStoreSuppliers();
    return Materialized.<String, Totals, Store>as(stores)
        .withRetention(RETENTION)
        .withKeySerde(Serdes.String())
        .withValueSerde(totalsSerde());
  }

  private static Properties config() {
    Properties config = new Properties();
    config.put(StreamsConfig.APPLICATION_ID_CONFIG, property("applicationId"));
    config.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, property("bootstrapServers"));
    config.put(StreamsConfig.STATE_DIR_CONFIG, property("stateDirectory"));
    config.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
    config.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, Long.getLong("commitIntervalMs"));
    config.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
    config.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
    config.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 64L * 1024 * 1024);
    config.put("auto.offset.reset", "earliest");
    Integer sessionTimeoutMs = Integer.getInteger("sessionTimeoutMs");
    if (sessionTimeoutMs != null) tuneForRecovery(config, sessionTimeoutMs);
    // The events are of a day long past: the broker would delete the changelog, and know its producer no more.
    long keptMs = Duration.ofDays(3_650).toMillis();
    config.put(StreamsConfig.WINDOW_STORE_CHANGE_LOG_ADDITIONAL_RETENTION_MS_CONFIG, keptMs);
    // What a run leaves in the broker is deleted after it, and then soon.
    config.put(StreamsConfig.topicPrefix("file.delete.delay.ms"), "1000");
    return config;
  }

  /** So that others take over as soon as they can from a process that was killed, or that leaves. */
  private static void tuneForRecovery(Properties config, int sessionTimeoutMs) {
    config.put(StreamsConfig.consumerPrefix("session.timeout.ms"), sessionTimeoutMs);
    config.put(StreamsConfig.consumerPrefix("heartbeat.interval.ms"), Integer.getInteger("heartbeatMs"));
    // What it left open holds its offsets back until then.
    config.put(StreamsConfig.producerPrefix("transaction.timeout.ms"), sessionTimeoutMs);
    // By default it stays in the group when it is closed, until its session has timed out.
    config.put(StreamsConfig.consumerPrefix("internal.leave.group.on.close"), true);
  }

  /** In the form of a JSON object; a session's end is its last event's time plus the gap, as Spillway has it. */
  private static String json(Windowed<String> window, Totals totals, long gapMs) {
    return json(window.key(), window.window().start(), window.window().end() + gapMs, totals);
  }

  private static String json(String key, long startMs, long endMs, Totals totals) {
    return "{\"key\":\"" + key + "\",\"start\":" + startMs + ",\"end\":" + endMs
        + ",\"count\":" + totals.count() + ",\"sum\":" + totals.sum()
        + ",\"max\":" + totals.max() + "}";
  }

  private static Serde<Event> eventSerde() {
    return Serdes.serdeFrom(
        (topic, event) -> {
          throw new UnsupportedOperationException("events are only read");
        },
        (topic, bytes) -> {
          try {
            return EVENTS.readValue(bytes);
          } catch (IOException error) {
            throw new UncheckedIOException(error);
          }
        });
  }

  private static Serde<Totals> totalsSerde() {
    return Serdes.serdeFrom(
        (topic, totals) ->
            totals == null
                ? null
                : ByteBuffer.allocate(TOTALS_BYTES)
                    .putLong(totals.count())
                    .putLong(totals.sum())
                    .putLong(totals.max())
                    .array(),
        (topic, bytes) -> {
          if (bytes == null) return null;
          ByteBuffer buffer = ByteBuffer.wrap(bytes);
          return new Totals(buffer.getLong(), buffer.getLong(), buffer.getLong());
        });
  }

  private static Duration milliseconds(String name) {
    return Duration.ofMillis(Long.parseLong(property(name)));
  }

  private static String property(String name) {
    String value = System.getProperty(name);
    if (value == null) throw new IllegalArgumentException("-D" + name + "=… is missing");
    return value;
  }
}
