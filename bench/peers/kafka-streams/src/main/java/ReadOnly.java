import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.Properties;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** Reads a topic with the Java client and does nothing with it; tells its processor time at marks, a line of JSON each. */
public final class ReadOnly {
  public static void main(String[] arguments) {
    long mark = Long.getLong("coldEvents");
    long events = Long.getLong("events");
    Properties config = new Properties();
    config.put("bootstrap.servers", System.getProperty("bootstrapServers"));
    config.put("isolation.level", "read_committed");
    config.put("enable.auto.commit", "false");
    config.put("auto.offset.reset", "earliest");
    config.put("max.poll.records", "10000");
    var bytes = new ByteArrayDeserializer();
    try (var consumer = new KafkaConsumer<byte[], byte[]>(config, bytes, bytes)) {
      String topic = System.getProperty("topic");
      int partitions = consumer.partitionsFor(topic).size();
      consumer.assign(IntStream.range(0, partitions).mapToObj(n -> new TopicPartition(topic, n)).toList());
      long read = 0;
      while (read < events) {
        read += consumer.poll(Duration.ofMillis(100)).count();
        if (read >= mark) {
          tell(read);
          mark = events;
        }
      }
    }
  }

  private static void tell(long events) {
    var system = (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    double wallS = ManagementFactory.getRuntimeMXBean().getUptime() / 1e3;
    System.out.printf(
        "{\"events\":%d,\"cpuS\":%.3f,\"wallS\":%.3f}%n", events, system.getProcessCpuTime() / 1e9, wallS);
  }
}
