package registry.server;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import registry.api.KvWrite;
import registry.server.raft.JraftConsensus;
import registry.server.rpc.Method;
import registry.server.rpc.Question;
import registry.server.storage.NodeStore;
import registry.server.storage.TornStore;

/**
 * However much is written to the same keys: the data directory stays small and a start after a
 * crash quick. What the log holds goes with its snapshots, whose size is the keys'.
 */
class BoundsTest {
    private static final int KEYS = 1000;
    private static final int WRITERS = 256;
    private static final byte[] VALUE = "v".repeat(100).getBytes(UTF_8);
    private static final long MEBIBYTE = 1 << 20;
    private static final Duration MOST_FOR_A_RESTART = Duration.ofSeconds(3);

    @TempDir Path tmp;

    /** A tenth of the writes with a tenth of the log between snapshots. */
    @Test
    void aHundredThousandWritesNeedLittle() throws Exception {
        run(100_000, 64 * MEBIBYTE / 10, 64 * MEBIBYTE);
    }

    @Tag("soak")
    @Test
    void aMillionWritesNeedLittle() throws Exception {
        run(1_000_000, 64 * MEBIBYTE, 200 * MEBIBYTE);
    }

    private void run(int writes, long snapshotBytes, long mostBytes) throws Exception {
        Path crashed = tmp.resolve("crashed");
        AtomicLong largest = new AtomicLong();
        long begin = System.nanoTime();
        try (TornStore store = TornStore.open(tmp.resolve("data"));
                Server server = server(store, tmp.resolve("data"), snapshotBytes)) {
            write(server, writes, largest);
            long millis = (System.nanoTime() - begin) / 1_000_000;
            System.out.printf(
                    "%d writes in %d ms: at most %d KiB, in the end %d KiB%n",
                    writes, millis, largest.get() >> 10, bytesBelow(tmp.resolve("data")) >> 10);
            store.leaveBehind(crashed, false);
        }
        Duration restart = restart(crashed, snapshotBytes, writes);
        System.out.printf("restart after a crash: %d ms%n", restart.toMillis());
        assertThat(restart).isLessThan(MOST_FOR_A_RESTART);
        assertThat(largest.get()).isLessThan(mostBytes);
    }

    /** In a process of its own, as a restart is: one that has written a million is warm. */
    private static Duration restart(Path dir, long snapshotBytes, int least) throws Exception {
        long begin = System.nanoTime();
        Process process =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "--enable-native-access=ALL-UNNAMED",
                                "--sun-misc-unsafe-memory-access=allow",
                                "-XX:+UseSerialGC",
                                "-XX:TieredStopAtLevel=1",
                                "-cp",
                                System.getProperty("java.class.path"),
                                BoundsTest.class.getName(),
                                dir.toString(),
                                String.valueOf(snapshotBytes),
                                String.valueOf(least))
                        .redirectError(ProcessBuilder.Redirect.INHERIT)
                        .start();
        try (var lines = process.inputReader()) {
            String line = lines.readLine();
            while (line != null && !line.startsWith("ready")) {
                line = lines.readLine();
            }
            Duration took = Duration.ofNanos(System.nanoTime() - begin);
            assertThat(line).isEqualTo("ready");
            return took;
        } finally {
            process.destroyForcibly().waitFor();
        }
    }

    /** The restarted process: says "ready" when it leads and has all that was written. */
    public static void main(String[] args) throws Exception {
        Path dir = Path.of(args[0]);
        try (NodeStore store = NodeStore.open(dir);
                Server server = server(store, dir, Long.parseLong(args[1]))) {
            var answer = new TestServer.Answer();
            server.ask(
                    TestServer.question(Question.KV_GET, "k", 0, Duration.ZERO, "keys"), answer);
            boolean hasAll = TestServer.get(answer).index() >= Long.parseLong(args[2]);
            System.out.println(hasAll ? "ready" : "ready, and something is lost");
            System.out.flush();
            System.in.read();
        }
    }

    private void write(Server server, int writes, AtomicLong largest) throws Exception {
        AtomicInteger next = new AtomicInteger();
        List<Thread> writers = new ArrayList<>();
        for (int i = 0; i < WRITERS; i++) {
            writers.add(
                    Thread.ofVirtual()
                            .start(() -> {
                                for (int n = next.getAndIncrement();
                                        n < writes;
                                        n = next.getAndIncrement()) {
                                    server.call(
                                            Method.KV_APPLY,
                                            new KvWrite(
                                                    KvWrite.Verb.SET,
                                                    "k" + n % KEYS,
                                                    VALUE,
                                                    n,
                                                    0,
                                                    null));
                                }
                            }));
        }
        Path data = tmp.resolve("data");
        for (Thread writer : writers) {
            while (!writer.join(Duration.ofMillis(250))) {
                largest.accumulateAndGet(bytesBelow(data), Math::max);
            }
        }
        largest.accumulateAndGet(bytesBelow(data), Math::max);
    }

    /** Returns when it leads. */
    private static Server server(NodeStore store, Path dir, long snapshotBytes) {
        var config =
                new ServerConfig(
                        dir,
                        "dc1",
                        "n1",
                        "",
                        "127.0.0.1",
                        8300,
                        1,
                        1,
                        snapshotBytes,
                        Duration.ofMinutes(15));
        Server server =
                new Server(
                        config,
                        applier -> {
                            try {
                                return JraftConsensus.start(store, config, applier);
                            } catch (IOException e) {
                                throw new UncheckedIOException(e);
                            }
                        },
                        new TestServer.FakeMembers(),
                        System::nanoTime,
                        line -> {
                            throw new AssertionError(line);
                        });
        await().pollInterval(Duration.ofMillis(5)).atMost(30, SECONDS).until(server::isReadyLeader);
        return server;
    }

    /** Files may go while they are counted. */
    private static long bytesBelow(Path dir) throws IOException {
        AtomicLong bytes = new AtomicLong();
        Files.walkFileTree(
                dir,
                new SimpleFileVisitor<>() {
                    @Override
                    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                        bytes.addAndGet(attributes.size());
                        return FileVisitResult.CONTINUE;
                    }

                    @Override
                    public FileVisitResult visitFileFailed(Path file, IOException gone) {
                        return FileVisitResult.CONTINUE;
                    }
                });
        return bytes.get();
    }
}
