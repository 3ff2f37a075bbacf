package registry.it.cluster;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import registry.api.client.RegistryClient.Answer;
import registry.it.Cluster;
import registry.it.Node;

/**
 * The server that a client agent uses dies, freezes or is cut off, again and again, under calls
 * that never pause: each is answered, each write is applied once, no wake-up is lost.
 */
final class FailoverIT {
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    /** A leader that was lost, found missing, and replaced. */
    private static final Duration LONGEST = Duration.ofSeconds(5);

    /** Something that calls in a loop, and what became of it. */
    private abstract static class Caller implements AutoCloseable {
        final List<String> troubles = new CopyOnWriteArrayList<>();
        final AtomicInteger answered = new AtomicInteger();
        final AtomicLong longest = new AtomicLong();
        private final Thread thread = Thread.ofVirtual().unstarted(this::loop);
        private volatile boolean ended;

        void start() {
            thread.start();
        }

        abstract Answer call() throws IOException, InterruptedException;

        private void loop() {
            while (!ended) {
                long began = System.nanoTime();
                try {
                    Answer answer = call();
                    if (answer.isOk()) {
                        answered.incrementAndGet();
                    } else {
                        troubles.add(answer.status() + " " + answer.text());
                    }
                } catch (IOException e) {
                    troubles.add(e.toString());
                } catch (InterruptedException e) {
                    return;
                }
                longest.accumulateAndGet(System.nanoTime() - began, Math::max);
            }
        }

        Duration takeLongest() {
            return Duration.ofNanos(longest.getAndSet(0));
        }

        @Override
        public void close() throws InterruptedException {
            ended = true;
            thread.join();
        }
    }

    /** Adds one to a number that nobody else changes, by compare and set. */
    private static final class Counter extends Caller {
        private final Node node;
        private final String path;
        private long index;
        private long value;

        Counter(Node node, String key) {
            this.node = node;
            this.path = "/v1/kv/" + key;
        }

        @Override
        Answer call() throws IOException, InterruptedException {
            byte[] next = Long.toString(value + 1).getBytes(UTF_8);
            Answer set = node.client().put(path + "?cas=" + index, next, PATIENCE);
            if (!set.isOk()) {
                return set;
            }
            if (!set.text().equals("true")) {
                troubles.add("a compare-and-set of our own key said " + set.text());
            }
            value++;
            Answer now = node.client().get(path, PATIENCE);
            if (now.isOk()) {
                index = now.index().orElseThrow();
            }
            return now;
        }
    }

    /** Follows a key by held questions. */
    private static final class Follower extends Caller {
        private final Node node;
        private final String path;
        private long index;

        Follower(Node node, String key) {
            this.node = node;
            this.path = "/v1/kv/" + key + "?wait=15s&index=";
        }

        @Override
        Answer call() throws IOException, InterruptedException {
            Answer moved = node.client().get(path + index, PATIENCE);
            if (moved.isOk()) {
                long now = moved.index().orElseThrow();
                if (now < index) {
                    troubles.add("the index went back from " + index + " to " + now);
                }
                index = now;
            }
            return moved;
        }
    }

    private interface Fault {
        void on(Cluster cluster, Node leader);
    }

    private record Scene(String name, Fault begin, Fault end) {}

    private static final List<Scene> SCENES =
            List.of(
                    new Scene(
                            "kill -9 of the leader",
                            (cluster, leader) -> leader.kill(),
                            (cluster, leader) -> leader.restart()),
                    new Scene(
                            "frozen leader",
                            (cluster, leader) -> leader.pause(),
                            (cluster, leader) -> leader.resume()),
                    new Scene(
                            "leader cut off from all",
                            (cluster, leader) -> cluster.isolate(leader),
                            (cluster, leader) -> cluster.heal()),
                    new Scene(
                            "leader cut off from one client",
                            (cluster, leader) -> {
                                cluster.cut(leader, cluster.node("c1"));
                                cluster.cut(cluster.node("c1"), leader);
                            },
                            (cluster, leader) -> cluster.heal()));

    @Test
    void noCallFailsAndEachWriteIsAppliedOnce() throws Exception {
        try (Cluster cluster = Cluster.of(3).clients(2).start()) {
            Assumptions.assumeTrue(cluster.hasNetwork());
            cluster.awaitMembers(5);
            Node c1 = cluster.node("c1");
            Node c2 = cluster.node("c2");
            assertThat(c1.client().put("/v1/kv/c2", new byte[] {'0'}, PATIENCE).isOk()).isTrue();
            var counters = List.of(new Counter(c1, "c1"), new Counter(c2, "c2"));
            counters.get(1).index = c1.client().get("/v1/kv/c2", PATIENCE).index().orElseThrow();
            // Each follows what is counted through the other agent.
            var followers = List.of(new Follower(c1, "c2"), new Follower(c2, "c1"));
            counters.forEach(Caller::start);
            await().until(() -> counters.getFirst().answered.get() > 1);
            followers.forEach(Caller::start);
            var callers = new ArrayList<Caller>(counters);
            callers.addAll(followers);
            for (Scene scene : SCENES) {
                awaitProgress(callers);
                Node leader = cluster.awaitLeader();
                callers.forEach(Caller::takeLongest);
                scene.begin().on(cluster, leader);
                awaitProgress(callers);
                await().pollDelay(4, TimeUnit.SECONDS).until(() -> true);
                awaitProgress(callers);
                scene.end().on(cluster, leader);
                Duration write = longest(counters);
                Duration wake = longest(followers);
                System.out.printf(
                        "%s: longest write and read %d ms, longest wait for a wake-up %d ms%n",
                        scene.name(), write.toMillis(), wake.toMillis());
                for (Caller caller : callers) {
                    assertThat(caller.troubles)
                            .as("%s\n%s", scene.name(), cluster.logTails())
                            .isEmpty();
                }
                assertThat(write).as(scene.name()).isLessThan(LONGEST);
                assertThat(wake).as(scene.name()).isLessThan(LONGEST.multipliedBy(2));
                cluster.awaitMembers(5);
            }
            for (Caller caller : callers) {
                caller.close();
                assertThat(caller.troubles).isEmpty();
            }
            for (Counter counter : counters) {
                assertThat(c2.client().get(counter.path + "?raw&consistent", PATIENCE).text())
                        .isEqualTo(Long.toString(counter.value));
            }
            System.out.printf(
                    "compare-and-set through client agents: %d and %d, none lost, none twice%n",
                    counters.get(0).value, counters.get(1).value);
        }
    }

    private static void awaitProgress(List<Caller> callers) {
        var before = callers.stream().map(caller -> caller.answered.get()).toList();
        await().atMost(Duration.ofSeconds(30))
                .pollInterval(Duration.ofMillis(20))
                .until(() -> {
                    for (int i = 0; i < callers.size(); i++) {
                        if (callers.get(i).answered.get() < before.get(i) + 5
                                && callers.get(i).troubles.isEmpty()) {
                            return false;
                        }
                    }
                    return true;
                });
    }

    private static Duration longest(List<? extends Caller> callers) {
        return callers.stream().map(Caller::takeLongest).max(Duration::compareTo).orElseThrow();
    }
}
