package registry.it.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import registry.it.Cluster;
import registry.it.Node;
import registry.it.cluster.Liar.Lie;

/** The workloads are content with a server that dies and freezes, and see through a liar. */
final class WorkloadIT {
    private static final Duration LIMIT = Duration.ofSeconds(20);

    @Test
    void aServerThatDiesAndFreezesKeepsItsWord() throws Exception {
        long seed = System.nanoTime();
        try (Cluster cluster = Cluster.of(1).start()) {
            Node node = cluster.awaitLeader();
            List<URI> agents = List.of(node.client().agent());
            try (var registers = new Registers(agents, seed, Duration.ZERO);
                    var acknowledged = new Acknowledged(agents, Duration.ofMillis(1));
                    var watchers = new Watchers(agents, new Weather(), LIMIT)) {
                List<Workload> all = List.of(registers, acknowledged, watchers);
                all.forEach(Workload::start);
                for (int round = 0; round < 4; round++) {
                    long before = acknowledged.count();
                    until(() -> acknowledged.count() > before + 300);
                    if (round % 2 == 0) {
                        node.kill();
                        node.restart();
                    } else {
                        node.pause();
                        await().pollDelay(1, TimeUnit.SECONDS).until(() -> true);
                        node.resume();
                    }
                }
                long rounds = watchers.rounds();
                until(() -> watchers.rounds() > rounds + 3);
                for (Workload workload : all) {
                    workload.stop();
                    assertThat(workload.violations())
                            .as("seed %d\n%s", seed, cluster.logTails())
                            .isEmpty();
                }
                assertThat(registers.answered()).isGreaterThan(500);
                System.out.printf(
                        "workloads: %d calls on registers, %d acknowledged, %d rounds of watchers, 0 violations, seed %d%n",
                        registers.answered(), acknowledged.count(), watchers.rounds(), seed);
            }
        }
    }

    @Test
    void liesAreFound() throws Exception {
        try (Cluster cluster = Cluster.of(1).start()) {
            URI agent = cluster.awaitLeader().client().agent();
            try (var liar = new Liar(agent, Lie.STALE_READ);
                    var registers = new Registers(List.of(liar.uri()), 1, Duration.ZERO)) {
                registers.start();
                until(() -> registers.answered() > 500);
                registers.stop();
                assertThat(registers.violations()).isNotEmpty();
            }
            try (var liar = new Liar(agent, Lie.LOST_WRITE);
                    var registers = new Registers(List.of(liar.uri()), 1, Duration.ZERO);
                    var acknowledged =
                            new Acknowledged(List.of(liar.uri()), Duration.ofMillis(1))) {
                registers.start();
                acknowledged.start();
                until(() -> registers.answered() > 500 && acknowledged.count() > 100);
                registers.stop();
                acknowledged.stop();
                assertThat(registers.violations()).isNotEmpty();
                assertThat(acknowledged.violations()).isNotEmpty();
            }
            try (var liar = new Liar(agent, Lie.LOST_WAKE_UP);
                    var watchers =
                            new Watchers(
                                    List.of(liar.uri()), new Weather(), Duration.ofSeconds(2))) {
                watchers.start();
                until(() -> !watchers.violations().isEmpty());
                assertThat(watchers.violations().getFirst()).contains("not woken");
            }
            try (var liar = new Liar(agent, Lie.FALSE_DEATH);
                    var deaths = new Deaths(Map.of("s1", liar.uri()), new Weather())) {
                deaths.start();
                until(() -> !deaths.violations().isEmpty());
                assertThat(deaths.violations().getFirst()).contains("s1 was called dead");
            }
            try (var liar = new Liar(agent, Lie.OLD_INDEX);
                    var watchers = new Watchers(List.of(liar.uri()), new Weather(), LIMIT)) {
                watchers.start();
                until(() -> !watchers.violations().isEmpty());
                assertThat(watchers.violations().getFirst()).contains("went back");
            }
        }
    }

    private static void until(BooleanSupplier enough) {
        await().pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(20))
                .atMost(Duration.ofSeconds(60))
                .until(enough::getAsBoolean);
    }
}
