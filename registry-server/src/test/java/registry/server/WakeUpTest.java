package registry.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import registry.api.ApiException;
import registry.server.rpc.Question;
import registry.server.rpc.Reply;
import registry.server.rpc.Servers;

class WakeUpTest {
    private final TestServer test = new TestServer();

    @AfterEach
    void close() {
        test.close();
    }

    private void service(String node, String name, int port) {
        test.register(
                """
                {"Node":"%s","Address":"10.0.0.1","SkipNodeUpdate":true,
                 "Service":{"Service":"%s","Port":%d}}\
                """
                        .formatted(node, name, port));
    }

    private void check(String node, String service, String output) {
        test.register(
                """
                {"Node":"%s","SkipNodeUpdate":true,
                 "Checks":[{"CheckID":"c","ServiceID":"%s","Status":"passing","Output":"%s"}]}\
                """
                        .formatted(node, service, output));
    }

    @Test
    void anOlderIndexIsAnsweredAtOnceAndTheSameIsHeld() {
        service("n1", "web", 1);
        assertThat(test.park(Question.HEALTH_SERVICE, "web", 0)).isDone();
        var held = test.park(Question.HEALTH_SERVICE, "web", 1);
        assertThat(held).isNotDone();
        service("n1", "web", 2);
        assertThat(TestServer.get(held).index()).isEqualTo(2);
        assertThat(test.park(Question.HEALTH_SERVICE, "web", 1)).isDone();
    }

    @Test
    void anIndexFromTheFutureIsHeldUntilItsTimeIsUp() {
        service("n1", "web", 1);
        var held =
                test.ask(
                        TestServer.question(
                                Question.HEALTH_SERVICE, "web", 1000, Duration.ofMillis(50)));
        assertThat(TestServer.get(held).index()).isEqualTo(1);
    }

    @Test
    void timeUpGivesTheFullAnswer() {
        service("n1", "web", 1);
        long begun = System.nanoTime();
        var held =
                test.ask(
                        TestServer.question(Question.CATALOG_NODES, "", 1, Duration.ofMillis(200)));
        Reply reply = TestServer.get(held);
        assertThat(Duration.ofNanos(System.nanoTime() - begun))
                .isGreaterThan(Duration.ofMillis(199));
        assertThat(reply.index()).isEqualTo(1);
        assertThat(reply.body()).isNotEmpty();
    }

    @Test
    void anAbsentServiceIsAnsweredWhenItAppears() {
        var held = test.park(Question.HEALTH_SERVICE, "web", 1);
        service("n1", "db", 1);
        service("n1", "web-2", 1);
        assertThat(held).isNotDone();
        service("n1", "Web", 1);
        assertThat(TestServer.get(held).index()).isEqualTo(3);
    }

    @Test
    void checksDoNotWakeWhoAsksTheCatalogueForServices() {
        service("n1", "web", 1);
        check("n1", "web", "0");
        var services = test.park(Question.CATALOG_SERVICES, "", 1);
        var instances = test.park(Question.CATALOG_SERVICE_NODES, "web", 2);
        var health = test.park(Question.HEALTH_SERVICE, "web", 2);
        for (int i = 1; i <= 100; i++) {
            check("n1", "web", "" + i);
        }
        assertThat(TestServer.get(health).index()).isGreaterThan(2);
        assertThat(services).isNotDone();
        assertThat(instances).isNotDone();
        // A fresh read shows that the index has moved, and data that changes wakes all.
        assertThat(test.index(Question.CATALOG_SERVICE_NODES, "web")).isEqualTo(102);
        service("n1", "web", 2);
        assertThat(TestServer.get(services).index()).isEqualTo(103);
        assertThat(TestServer.get(instances).index()).isEqualTo(103);
    }

    @Test
    void otherNodesAndPrefixesDoNotWake() {
        service("n1", "web", 1);
        test.put("a/b", "1");
        var node = test.park(Question.CATALOG_NODE, "n1", 1);
        var checks = test.park(Question.HEALTH_NODE, "n1", 1);
        var tree = test.park(Question.KV_GET, "a/", 2, "recurse");
        var key = test.park(Question.KV_GET, "a", 2);
        service("n2", "web", 1);
        check("n2", "web", "");
        test.put("b", "1");
        test.put("a", "2");
        assertThat(TestServer.get(key).index()).isEqualTo(6);
        assertThat(tree).isNotDone();
        assertThat(node).isNotDone();
        assertThat(checks).isNotDone();
        test.put("a/c", "1");
        assertThat(TestServer.get(tree).index()).isEqualTo(7);
        check("n1", "web", "");
        assertThat(TestServer.get(checks).index()).isEqualTo(8);
        assertThat(node).isNotDone();
        test.deregister("{\"Node\":\"n1\"}");
        assertThat(TestServer.get(node).index()).isEqualTo(9);
    }

    @Test
    void aDroppedQuestionIsForgotten() {
        service("n1", "web", 1);
        var answer = new TestServer.Answer();
        var held =
                test.server.ask(
                        TestServer.question(
                                Question.HEALTH_SERVICE, "web", 1, Duration.ofMinutes(5)),
                        answer);
        held.drop();
        held.drop();
        var other = test.park(Question.HEALTH_SERVICE, "web", 1);
        service("n1", "web", 2);
        TestServer.get(other);
        assertThat(answer).isNotDone();
    }

    @Test
    void whoIsHeldWhenTheServerClosesHearsOfIt() {
        service("n1", "web", 1);
        var held = test.park(Question.HEALTH_SERVICE, "web", 1);
        test.close();
        assertThat(held.handle((reply, error) -> error).orTimeout(5, TimeUnit.SECONDS).join())
                .isInstanceOf(ApiException.class);
    }

    /** One who follows a question from index to index until it has seen the last write. */
    private final class Follower implements Servers.Listener {
        private final Question question;
        private final long until;
        private final CountDownLatch seen;
        private volatile long at;

        Follower(Question question, long until, CountDownLatch seen) {
            this.question = question;
            this.until = until;
            this.seen = seen;
        }

        void ask(long index) {
            test.server.ask(
                    new Question(
                            question.method(),
                            question.name(),
                            question.params(),
                            question.consistency(),
                            index,
                            question.maxWait()),
                    this);
        }

        @Override
        public void answered(Reply reply) {
            at = reply.index();
            if (reply.index() >= until) {
                seen.countDown();
            } else {
                ask(reply.index());
            }
        }

        @Override
        public void failed(ApiException error) {
            throw new AssertionError(error);
        }
    }

    /**
     * Followers park and are woken while commits go on at full speed on another thread. One missed
     * wake-up leaves a follower parked for its five minutes.
     */
    @Test
    void noWakeUpIsLostWhileCommitsGoOn() throws Exception {
        long seed = Long.getLong("registry.property.seed", System.nanoTime());
        var random = new SplittableRandom(seed);
        int writes = Integer.getInteger("registry.property.commands", 10_000);
        int followers = 200;
        for (int round = 0; round < 5; round++) {
            long before = test.consensus.index();
            var seen = new CountDownLatch(followers);
            List<Follower> all = new ArrayList<>();
            for (int i = 0; i < followers; i++) {
                boolean kv = i % 2 == 0;
                Duration hold = Duration.ofMinutes(5);
                Question question =
                        kv
                                ? TestServer.question(
                                        Question.KV_GET, "k" + i % 4, 0, hold, "recurse")
                                : TestServer.question(
                                        Question.HEALTH_SERVICE, "s" + i % 4, 0, hold);
                // The last eight writes touch each name once.
                var follower = new Follower(question, before + writes / 5 + 1, seen);
                all.add(follower);
                follower.ask(before + 1);
            }
            for (int i = 0; i < writes / 5; i++) {
                int n = random.nextInt(4);
                if (random.nextBoolean()) {
                    test.put("k" + n + "/x", "" + random.nextLong());
                } else {
                    service("n1", "s" + n, random.nextInt(60_000));
                }
            }
            for (int n = 0; n < 4; n++) {
                test.put("k" + n + "/x", "last" + random.nextLong());
                service("n1", "s" + n, 60_000 + round * 8 + n);
            }
            assertThat(seen.await(20, TimeUnit.SECONDS))
                    .as(
                            "-Dregistry.property.seed=%d, parked at %s",
                            seed, all.stream().map(f -> f.at).distinct().toList())
                    .isTrue();
        }
    }

    /**
     * One question parks while the one write that answers it commits: nothing comes later that
     * would hide a miss.
     */
    @Test
    void aWriteThatMeetsAParkingQuestionIsNotMissed() throws Exception {
        int rounds = Integer.getInteger("registry.property.commands", 4_000);
        var start = new AtomicInteger();
        Thread writer =
                Thread.ofPlatform()
                        .daemon()
                        .start(() -> {
                            for (int round = 1; round <= rounds; round++) {
                                while (start.get() < round) {
                                    Thread.onSpinWait();
                                }
                                test.put("race", "" + round);
                            }
                        });
        test.put("race", "0");
        var random = new SplittableRandom(1);
        for (int round = 1; round <= rounds; round++) {
            long index = test.consensus.index();
            start.set(round);
            for (int i = random.nextInt(200); i > 0; i--) {
                Thread.onSpinWait();
            }
            Reply reply = TestServer.get(test.park(Question.KV_GET, "race", index));
            assertThat(reply.index()).as("round %d", round).isEqualTo(index + 1);
        }
        writer.join();
    }

    @Test
    void tenThousandOnOneServiceAreWokenSoonAndCheaply() throws Exception {
        int waiters = 10_000;
        for (int i = 0; i < 10; i++) {
            service("n" + i, "web", 1);
        }
        for (int round = 0; round < 5; round++) {
            long index = test.index(Question.HEALTH_SERVICE, "web");
            var woken = new CountDownLatch(waiters);
            var failed = new AtomicInteger();
            var listener =
                    new Servers.Listener() {
                        @Override
                        public void answered(Reply reply) {
                            woken.countDown();
                        }

                        @Override
                        public void failed(ApiException error) {
                            failed.incrementAndGet();
                        }
                    };
            var question =
                    TestServer.question(
                            Question.HEALTH_SERVICE,
                            "web",
                            index,
                            Duration.ofMinutes(5),
                            "passing");
            for (int i = 0; i < waiters; i++) {
                test.server.ask(question, listener);
            }
            assertThat(woken.getCount()).isEqualTo(waiters);
            long begun = System.nanoTime();
            service("n1", "web", 100 + round);
            assertThat(woken.await(5, TimeUnit.SECONDS)).isTrue();
            long micros = (System.nanoTime() - begun) / 1000;
            assertThat(failed).hasValue(0);
            System.out.println("10,000 woken after " + micros + " us");
        }
    }
}
