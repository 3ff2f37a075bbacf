package registry.it;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import registry.api.client.RegistryClient;
import registry.api.client.RegistryClient.Answer;

/** A saved state comes back, in the same cluster and in another, or nothing has happened. */
final class SnapshotIT {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final int KEYS = 40;
    private static final int VALUE_BYTES = 60_000;

    @TempDir private Path dir;

    private static void put(LauncherProcess agent, String key, byte[] value) throws Exception {
        assertThat(agent.client().put("/v1/kv/" + key, value, PATIENCE).text()).isEqualTo("true");
    }

    private static byte[] save(LauncherProcess agent) throws IOException {
        var out = new ByteArrayOutputStream();
        assertThat(agent.client().download("/v1/snapshot", out).status()).isEqualTo(200);
        return out.toByteArray();
    }

    /** What doesn't compress, so that a restore is many pieces. */
    private static void fill(LauncherProcess agent, long seed) throws Exception {
        var random = new Random(seed);
        var value = new byte[VALUE_BYTES];
        for (int i = 0; i < KEYS; i++) {
            random.nextBytes(value);
            put(agent, "many/" + i, value);
        }
        put(agent, "which", Long.toString(seed).getBytes(UTF_8));
    }

    /** The seed of the one filling that all keys are of. */
    private static long filling(LauncherProcess agent) throws Exception {
        long seed = Long.parseLong(agent.client().get("/v1/kv/which?raw", PATIENCE).text());
        var random = new Random(seed);
        var value = new byte[VALUE_BYTES];
        for (int i = 0; i < KEYS; i++) {
            random.nextBytes(value);
            assertThat(agent.client().get("/v1/kv/many/" + i + "?raw", PATIENCE).body())
                    .as("key %d of filling %d", i, seed)
                    .isEqualTo(value);
        }
        return seed;
    }

    @Test
    void aRestoreWakesWhoWaitsAndNoIndexFalls() throws Exception {
        try (LauncherProcess agent = LauncherProcess.agent().start()) {
            put(agent, "a", "saved".getBytes(UTF_8));
            Path file = Files.write(dir.resolve("a.snap"), save(agent));
            put(agent, "a", "later".getBytes(UTF_8));
            long index = agent.client().get("/v1/kv/a", PATIENCE).index().orElseThrow();
            CompletableFuture<Answer> waiting = held(agent, "/v1/kv/a?wait=30s&index=" + index);
            CompletableFuture<Answer> listing =
                    held(agent, "/v1/catalog/nodes?wait=30s&index=" + index);
            assertThat(agent.client().upload("/v1/snapshot", file).status()).isEqualTo(200);
            assertThat(waiting.get(10, TimeUnit.SECONDS).index().orElseThrow())
                    .isGreaterThan(index);
            assertThat(listing.get(10, TimeUnit.SECONDS).index().orElseThrow())
                    .isGreaterThan(index);
            assertThat(agent.client().get("/v1/kv/a?raw", PATIENCE).text()).isEqualTo("saved");
        }
    }

    private static CompletableFuture<Answer> held(LauncherProcess agent, String path) {
        return CompletableFuture.supplyAsync(() -> {
            try {
                return agent.client().get(path, PATIENCE);
            } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
    }

    @Test
    void anotherClusterGetsTheStateWithHigherIndexes() throws Exception {
        try (LauncherProcess old = LauncherProcess.agent().start();
                LauncherProcess fresh = LauncherProcess.agent().with("node_name", "n2").start()) {
            fill(old, 1);
            long index = old.client().get("/v1/kv/which", PATIENCE).index().orElseThrow();
            Path file = Files.write(dir.resolve("old.snap"), save(old));
            assertThat(fresh.client().upload("/v1/snapshot", file).status()).isEqualTo(200);
            assertThat(filling(fresh)).isEqualTo(1);
            assertThat(fresh.client().get("/v1/kv/which", PATIENCE).index().orElseThrow())
                    .isGreaterThan(index);
            fresh.kill();
            fresh.restart();
            assertThat(filling(fresh)).isEqualTo(1);
        }
    }

    @Test
    void aKillInTheMiddleLeavesTheOldStateOrTheSavedOne() throws Exception {
        long seed = System.nanoTime();
        var random = new Random(seed);
        int restored = 0;
        try (LauncherProcess agent = LauncherProcess.agent().start()) {
            fill(agent, 1);
            Path file = Files.write(dir.resolve("one.snap"), save(agent));
            for (int round = 2; round < 8; round++) {
                fill(agent, round);
                Thread restore =
                        Thread.ofVirtual().start(() -> restoreAndDie(agent.client(), file));
                restore.join(Duration.ofMillis(random.nextInt(250)));
                agent.kill();
                restore.join();
                agent.restart();
                long filling = filling(agent);
                assertThat(filling).as("seed %d", seed).isIn(1L, (long) round);
                restored += filling == 1 ? 1 : 0;
            }
            // What was left of them is no hindrance.
            assertThat(agent.client().upload("/v1/snapshot", file).status()).isEqualTo(200);
            assertThat(agent.dataDir()).isDirectoryNotContaining("glob:**restore-*.snap");
            assertThat(filling(agent)).isEqualTo(1);
        }
        System.out.printf("kill -9 in a restore: 6 kills, %d restored, seed %d%n", restored, seed);
    }

    private static void restoreAndDie(RegistryClient client, Path file) {
        try {
            client.upload("/v1/snapshot", file);
        } catch (IOException e) {
            // The agent was killed.
        }
    }
}
