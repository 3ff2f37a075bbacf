package registry.server.faults;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.awaitility.Awaitility.await;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import org.awaitility.core.ConditionTimeoutException;
import registry.server.fsm.Fsm;
import registry.server.state.StateCodec;

/** One random run: servers under faults and under load, and what their judges say. */
final class FaultRun {
    private static final int KEYS = 4;
    private static final int CLIENTS_PER_KEY = 4;
    private static final int WATCHERS_PER_KEY = 3;
    private static final Duration MENDED = Duration.ofSeconds(60);

    /**
     * @param broken what can't be; none in a good run
     */
    record Verdict(long seed, List<String> broken, String figures) {
        boolean isGood() {
            return broken.isEmpty();
        }
    }

    private FaultRun() {}

    /**
     * Runs until something is broken, or so often. Arguments: directory, servers, seconds of each
     * run, how many runs, what is planted, seed of the first.
     */
    public static void main(String[] args) {
        long seed = args.length > 5 ? Long.parseLong(args[5]) : System.nanoTime();
        var shape =
                new FaultCluster.Shape(
                        Integer.parseInt(args[1]), 24 << 10, Planted.valueOf(args[4]));
        for (int i = 0; i < Integer.parseInt(args[3]); i++) {
            Path base = Path.of(args[0]).resolve("run-" + i);
            Verdict verdict =
                    run(base, shape, seed + i, Duration.ofSeconds(Long.parseLong(args[2])));
            if (!verdict.isGood()) {
                System.exit(1);
            }
        }
        System.exit(0);
    }

    static Verdict run(Path base, FaultCluster.Shape shape, long seed, Duration time) {
        System.out.println("seed " + seed + " " + shape);
        Random random = new Random(seed);
        List<String> broken = new ArrayList<>();
        try (FaultCluster cluster = new FaultCluster(base, shape)) {
            cluster.start();
            var nemesis = new Nemesis(cluster, new Random(random.nextLong()));
            var registers = new Registers(cluster, KEYS, CLIENTS_PER_KEY, random);
            var watchers = new Watchers(cluster, registers.keys(), WATCHERS_PER_KEY, random);
            try {
                nemesis.rage(time);
                nemesis.strike(Nemesis.Fault.POWER_CUT_OF_ALL);
                nemesis.relent();
                cluster.awaitWhole(MENDED);
                long before = registers.acknowledged();
                await().atMost(10, SECONDS).until(() -> registers.acknowledged() > before + 20);
            } catch (ConditionTimeoutException e) {
                broken.add("the mended cluster does not serve again: " + state(cluster));
            }
            registers.close();
            try {
                await().atMost(20, SECONDS).until(() -> agree(cluster));
            } catch (ConditionTimeoutException e) {
                broken.add("the servers do not come to the same state: " + state(cluster));
            }
            watchers.close();
            broken.addAll(registers.judge());
            broken.addAll(watchers.judge());
            broken.addAll(cluster.promises.broken());
            broken.addAll(cluster.applied.broken());
            for (Life life : cluster.alive()) {
                if (life.store.stopped() != 0) {
                    broken.add("a server stopped itself: " + life.store.stopped());
                }
            }
            String figures =
                    "acknowledged=%d reads=%d watched=%d installed=%d faults=%s"
                            .formatted(
                                    registers.acknowledged(),
                                    registers.reads(),
                                    watchers.answers(),
                                    cluster.installed(),
                                    nemesis.done());
            System.out.println(figures);
            broken.stream().limit(20).forEach(System.out::println);
            return new Verdict(seed, broken, figures);
        }
    }

    /** Rows, indexes and time, to the last byte. */
    private static boolean agree(FaultCluster cluster) {
        return cluster.alive().stream().map(FaultRun::bytes).distinct().count() == 1;
    }

    private static ByteBuffer bytes(Life life) {
        var out = new ByteArrayOutputStream();
        try {
            new StateCodec(Fsm.TABLES).write(life.state.current(), out);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return ByteBuffer.wrap(out.toByteArray());
    }

    private static String state(FaultCluster cluster) {
        return cluster.nodes.stream()
                .map(node -> {
                    Life life = node.life();
                    return node.name
                            + "="
                            + (life == null
                                    ? "dead"
                                    : life.consensus.stats() + " " + life.consensus.peers());
                })
                .collect(Collectors.joining("\n  ", "\n  ", ""));
    }
}
