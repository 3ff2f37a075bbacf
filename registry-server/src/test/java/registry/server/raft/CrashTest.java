package registry.server.raft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Nothing acknowledged is lost: by kill -9, and by a power cut, at moments that nobody chose. */
class CrashTest {
    @TempDir Path tmp;

    private final Random random = new Random();
    private final Set<Long> acknowledged = new TreeSet<>();

    private long victims;

    @BeforeEach
    void seed() {
        long seed = System.nanoTime();
        random.setSeed(seed);
        System.out.println("seed " + seed);
    }

    @Test
    void killNineLosesNothing() throws Exception {
        for (int round = 0; round < 3; round++) {
            Victim victim = new Victim(tmp, next());
            victim.runFor(round == 0 ? 20 : random.nextInt(400));
            victim.process.destroyForcibly().waitFor();
            acknowledged.addAll(victim.acknowledged());
            assertNothingLost(tmp);
        }
        assertThat(acknowledged).isNotEmpty();
    }

    @Test
    void aPowerCutLosesNothing() throws Exception {
        assumeTrue(isRoot(), "only root can mount a disk to cut its power");
        try (PowerCut power = PowerCut.create(tmp)) {
            Path dir = power.disk().resolve("data");
            for (int round = 0; round < 2; round++) {
                Victim victim = new Victim(dir, next());
                victim.runFor(round == 0 ? 20 : random.nextInt(600));
                power.cut(victim.process.toHandle());
                acknowledged.addAll(victim.acknowledged());
                assertNothingLost(dir);
            }
            assertThat(acknowledged).isNotEmpty();
        }
    }

    /** A check of the check: a log that is not synced must be found out. */
    @Test
    void aPowerCutWithoutSyncsLosesMuch() throws Exception {
        assumeTrue(isRoot(), "only root can mount a disk to cut its power");
        try (PowerCut power = PowerCut.create(tmp)) {
            Path dir = power.disk().resolve("data");
            Victim victim = new Victim(dir, 0, "unsynced");
            victim.runFor(300);
            power.cut(victim.process.toHandle());
            acknowledged.addAll(victim.acknowledged());
            assertThat(acknowledged).hasSizeGreaterThan(100);
            assertThat(lost(dir)).hasSizeGreaterThan(100);
        }
    }

    /** Each victim has numbers of its own, whether or not the last one lived to tell any. */
    private long next() {
        return victims++ * 1_000_000_000L;
    }

    private void assertNothingLost(Path dir) throws IOException {
        assertThat(lost(dir)).as("lost of %d acknowledged", acknowledged.size()).isEmpty();
    }

    private List<Long> lost(Path dir) throws IOException {
        try (TestServer server = TestServer.open(dir)) {
            Set<Long> found =
                    Arrays.stream(server.ledger.numbers()).boxed().collect(Collectors.toSet());
            assertThat(server.ledger.numbers()).doesNotHaveDuplicates();
            return acknowledged.stream().filter(number -> !found.contains(number)).toList();
        }
    }

    private static boolean isRoot() {
        return "root".equals(System.getProperty("user.name"));
    }

    /** A {@link CrashWriter}, and what it told. */
    private static final class Victim {
        final Process process;
        private final CompletableFuture<Void> ready = new CompletableFuture<>();
        private final CompletableFuture<List<Long>> told = new CompletableFuture<>();

        Victim(Path dir, long first, String... more) throws IOException {
            List<String> command =
                    new ArrayList<>(
                            List.of(
                                    Path.of(System.getProperty("java.home"), "bin", "java")
                                            .toString(),
                                    "-XX:+UseSerialGC",
                                    "-XX:TieredStopAtLevel=1",
                                    "-Xmx128m",
                                    "--enable-native-access=ALL-UNNAMED",
                                    "--sun-misc-unsafe-memory-access=allow",
                                    "-cp",
                                    System.getProperty("java.class.path"),
                                    CrashWriter.class.getName(),
                                    dir.toString(),
                                    String.valueOf(first)));
            command.addAll(List.of(more));
            process =
                    new ProcessBuilder(command)
                            .redirectError(ProcessBuilder.Redirect.INHERIT)
                            .start();
            Thread.ofVirtual().start(this::listen);
        }

        private void listen() {
            List<Long> numbers = new ArrayList<>();
            try (BufferedReader lines = process.inputReader()) {
                for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                    if (line.equals("ready")) {
                        ready.complete(null);
                    } else {
                        numbers.add(Long.parseLong(line));
                    }
                }
            } catch (IOException ended) {
                // As good as the end of the stream.
            }
            ready.complete(null);
            told.complete(numbers);
        }

        /** Lets it write for so long. */
        void runFor(int millis) throws Exception {
            ready.get(30, TimeUnit.SECONDS);
            process.waitFor(millis, TimeUnit.MILLISECONDS);
        }

        /** All that it told before its end. */
        List<Long> acknowledged() throws Exception {
            return told.get(10, TimeUnit.SECONDS);
        }
    }
}
