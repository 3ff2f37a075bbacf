package registry.server.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import registry.api.ApiException;
import registry.api.KvPair;
import registry.api.KvWrite;
import registry.server.fsm.Fsm;
import registry.server.kv.KvTable;
import registry.server.snapshot.Archives;
import registry.server.snapshot.RestoreOp;
import registry.server.state.State;
import registry.server.state.StateCodec;

/**
 * The leader of three dies at a random step of a restore, with its power or without: all come to
 * the same state, and it is the one of before or the saved one. The seed is printed; {@code
 * -Dregistry.seed} takes one.
 */
class RestoreFaultsTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final int KEYS = 20;
    private static final int VALUE_BYTES = 2000;
    private static final int PIECE_BYTES = 4000;

    /** So small that pieces are in the servers' own snapshots, too. */
    private static final long SNAPSHOT_BYTES = 48 << 10;

    private static final Executor RESTORERS = task -> Thread.ofVirtual().start(task);

    @TempDir Path tmp;

    private final long seed = Long.getLong("registry.seed", System.nanoTime());
    private final Random random = new Random(seed);

    @Test
    void aLeaderDiesInTheMiddle() {
        rounds(3);
    }

    @Tag("soak")
    @Test
    void manyLeadersDieInTheMiddle() {
        rounds(60);
    }

    private void rounds(int rounds) {
        System.out.println("seed " + seed);
        int restored = 0;
        try (var cluster =
                new FaultCluster(tmp, new FaultCluster.Shape(3, SNAPSHOT_BYTES, Planted.NOTHING))
                        .start()) {
            fill(cluster, 0);
            for (int round = 1; round <= rounds; round++) {
                State saved = agreed(cluster);
                byte[] archive = Archives.of(saved, Fsm.TABLES);
                fill(cluster, round);
                restored += interrupted(cluster, archive, saved, "round-" + round) ? 1 : 0;
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        System.out.printf("%d leaders died in a restore, %d restored%n", rounds, restored);
    }

    /** True when the state is the saved one. */
    private boolean interrupted(FaultCluster cluster, byte[] archive, State saved, String restore) {
        State before = agreed(cluster);
        List<RestoreOp> steps = steps(archive, restore);
        // One more than there are: it dies when all is done.
        int last = random.nextInt(steps.size() + 1);
        FaultCluster.Node leader = leader(cluster);
        Life life = alive(leader);
        var begun = new AtomicInteger();
        CompletableFuture<Boolean> restoring =
                CompletableFuture.supplyAsync(() -> restore(life, steps, begun), RESTORERS);
        await().pollInterval(Duration.ofMillis(1))
                .atMost(PATIENCE)
                .until(() -> begun.get() > last || restoring.isDone());
        leader.kill(random.nextBoolean());
        boolean acknowledged = restoring.orTimeout(PATIENCE.toSeconds(), TimeUnit.SECONDS).join();
        leader.start();
        cluster.awaitWhole(PATIENCE);
        State after = agreed(cluster);
        if (acknowledged) {
            assertThat(values(after)).as("acknowledged, seed %d", seed).isEqualTo(values(saved));
        } else {
            assertThat(values(after))
                    .as("seed %d", seed)
                    .isIn(List.of(values(before), values(saved)));
        }
        assertThat(after.index("kvs")).isGreaterThanOrEqualTo(before.index("kvs"));
        alive(leader(cluster)).propose(new RestoreOp.Drop(restore));
        return values(after).equals(values(saved));
    }

    private static List<RestoreOp> steps(byte[] archive, String restore) {
        List<RestoreOp> steps = new ArrayList<>();
        for (int from = 0; from < archive.length; from += PIECE_BYTES) {
            byte[] piece =
                    Arrays.copyOfRange(archive, from, Math.min(from + PIECE_BYTES, archive.length));
            steps.add(new RestoreOp.Stage(restore, steps.size(), piece));
        }
        steps.add(new RestoreOp.Commit(restore, steps.size()));
        return steps;
    }

    /** Whether the server has said that it is done, and lived when it did. */
    private static boolean restore(Life leader, List<RestoreOp> steps, AtomicInteger begun) {
        try {
            for (RestoreOp step : steps) {
                begun.incrementAndGet();
                leader.propose(step);
            }
            begun.incrementAndGet();
            return !leader.isDead();
        } catch (ApiException e) {
            return false;
        }
    }

    private void fill(FaultCluster cluster, int generation) {
        var value = new byte[VALUE_BYTES];
        for (int i = 0; i < KEYS; i++) {
            random.nextBytes(value);
            value[0] = (byte) generation;
            var write = new KvWrite(KvWrite.Verb.SET, "k" + i, value.clone(), 0, 0, null);
            await().ignoreExceptions()
                    .atMost(PATIENCE)
                    .until(() -> alive(leader(cluster)).write(write));
        }
    }

    /** The state of all servers once it is the same, byte by byte. */
    private static State agreed(FaultCluster cluster) {
        assertThat(cluster.alive()).hasSize(3);
        return await().atMost(PATIENCE)
                .until(
                        () -> cluster.alive().stream().map(life -> life.state.current()).toList(),
                        states ->
                                states.stream().map(RestoreFaultsTest::bytes).distinct().count()
                                        == 1)
                .getFirst();
    }

    private static ByteBuffer bytes(State state) {
        var out = new ByteArrayOutputStream();
        try {
            new StateCodec(Fsm.TABLES).write(state, out);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return ByteBuffer.wrap(out.toByteArray());
    }

    private static Map<String, String> values(State state) {
        Map<String, String> values = new LinkedHashMap<>();
        for (KvPair pair : state.table(KvTable.PAIRS).rows().values()) {
            values.put(pair.key(), Arrays.toString(pair.value()));
        }
        return values;
    }

    private static FaultCluster.Node leader(FaultCluster cluster) {
        await().atMost(PATIENCE).until(() -> cluster.leader() != null);
        return some(cluster.leader());
    }

    private static Life alive(FaultCluster.Node node) {
        return some(node.life());
    }

    private static <T> T some(@Nullable T value) {
        if (value == null) {
            throw new AssertionError("nobody there");
        }
        return value;
    }
}
