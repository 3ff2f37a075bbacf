package registry.server.rpc;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import registry.api.ApiException;
import registry.api.KvWrite;
import registry.server.Server;
import registry.server.TestServer;
import registry.server.link.Hub;
import registry.server.link.Link;

/** One server that leads, one that only knows who does, and an asker, over real links. */
class ServerRpcTest {
    private final List<AutoCloseable> opened = new ArrayList<>();
    private final TestServer leader = own(new TestServer());
    private final Hub leaderHub = own(new Hub(() -> "", List.of()));
    private final Follower follower = new Follower();
    private final Hub followerHub = own(new Hub(() -> "", List.of()));
    private ServerRpc sentOn;
    private InetSocketAddress followerAddress;

    /** Knows a leader, and refuses what only that one may answer. */
    private static final class Follower implements Servers {
        volatile String leader = "";

        @Override
        public <Q, A> A call(Method<Q, A> method, Q request) {
            throw ApiException.noLeader();
        }

        @Override
        public Held ask(Question question, Listener listener) {
            if (question.consistency() == Consistency.STALE) {
                listener.answered(new Reply(true, 7, true, 42, "[1]".getBytes(UTF_8)));
            } else {
                listener.failed(ApiException.noLeader());
            }
            return () -> {};
        }

        @Override
        public String leader() {
            return leader;
        }

        @Override
        public List<String> peers() {
            return List.of("127.0.0.1:1", "127.0.0.1:2");
        }
    }

    private <T extends AutoCloseable> T own(T part) {
        opened.add(part);
        return part;
    }

    @BeforeEach
    void start() throws IOException {
        String leads = serve(leader.server, leaderHub, "n1");
        sentOn = own(new ServerRpc(follower, followerHub, "n2", "127.0.0.1:1", Server.METHODS));
        followerHub.serve(sentOn.service());
        followerAddress = followerHub.listen(new InetSocketAddress("127.0.0.1", 0));
        follower.leader = leads;
    }

    private String serve(Servers local, Hub hub, String id) throws IOException {
        // The server calls itself by a name of its own, so the address is told by hand.
        hub.serve(own(new ServerRpc(local, hub, id, "127.0.0.1:8300", Server.METHODS)).service());
        InetSocketAddress at = hub.listen(new InetSocketAddress("127.0.0.1", 0));
        return "127.0.0.1:" + at.getPort();
    }

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable part : opened.reversed()) {
            part.close();
        }
    }

    private static KvWrite set(String key, String value) {
        return new KvWrite(KvWrite.Verb.SET, key, value.getBytes(UTF_8), 0, 0, null);
    }

    private static Question get(String key, long index, Consistency consistency) {
        return new Question(
                Question.KV_GET, key, Map.of(), consistency, index, Duration.ofMinutes(5));
    }

    private static Reply reply(TestServer.Answer answer) {
        return answer.orTimeout(10, TimeUnit.SECONDS).join();
    }

    private Target overLink() {
        Hub asker = own(new Hub(() -> "", List.of()));
        Hub.Peer peer =
                asker.dial("", RpcService.asking("c1", () -> {}), () -> followerAddress, 100);
        await().until(() -> peer.link() != null);
        return new Remote("follower", peer::link, false);
    }

    @Test
    void whatOnlyTheLeaderMayDoIsSentOnToIt() {
        assertThat(sentOn.call(Method.KV_APPLY, set("a", "1"))).isTrue();
        var here = new TestServer.Answer();
        sentOn.ask(get("a", 0, Consistency.DEFAULT), here);
        assertThat(reply(here))
                .usingRecursiveComparison()
                .isEqualTo(reply(leader.ask(get("a", 0, Consistency.DEFAULT))));
        var consistent = new TestServer.Answer();
        sentOn.ask(get("a", 0, Consistency.CONSISTENT), consistent);
        assertThat(reply(consistent).found()).isTrue();
    }

    @Test
    void staleIsAnsweredHereWithItsAge() {
        var stale = new TestServer.Answer();
        sentOn.ask(get("a", 0, Consistency.STALE), stale);
        assertThat(reply(stale).lastContactMillis()).isEqualTo(42);
        assertThat(reply(stale).index()).isEqualTo(7);
    }

    @Test
    void aHeldQuestionIsWokenOverTwoLinks() {
        leader.put("a", "1");
        long index = reply(leader.ask(get("a", 0, Consistency.DEFAULT))).index();
        var held = new Asked();
        overLink().ask(get("a", index, Consistency.DEFAULT), held, 1000);
        await().until(() -> sentOnToLeader() == 1);
        assertThat(held).isNotDone();
        leader.put("a", "2");
        assertThat(held.orTimeout(10, TimeUnit.SECONDS).join().index()).isGreaterThan(index);
    }

    @Test
    void aDroppedQuestionIsDroppedAtTheLeader() {
        leader.put("a", "1");
        long index = reply(leader.ask(get("a", 0, Consistency.DEFAULT))).index();
        var held = new Asked();
        Servers.Held question = overLink().ask(get("a", index, Consistency.DEFAULT), held, 1000);
        await().until(() -> sentOnToLeader() == 1);
        question.drop();
        await().until(() -> sentOnToLeader() == 0);
    }

    @Test
    void aLinkThatEndsDropsItsQuestions() throws Exception {
        leader.put("a", "1");
        long index = reply(leader.ask(get("a", 0, Consistency.DEFAULT))).index();
        try (Hub asker = new Hub(() -> "", List.of())) {
            Hub.Peer peer =
                    asker.dial("", RpcService.asking("c1", () -> {}), () -> followerAddress, 100);
            await().until(() -> peer.link() != null);
            new Remote("follower", peer::link, false)
                    .ask(get("a", index, Consistency.DEFAULT), new Asked(), 1000);
            await().until(() -> sentOnToLeader() == 1);
        }
        await().until(() -> sentOnToLeader() == 0);
    }

    private int sentOnToLeader() {
        return sentOn.underWay();
    }

    @Test
    void refusalsKeepTheirKindAndText() {
        assertThatThrownBy(() -> overLink().call(Method.KV_APPLY, set("", "1"), null, 1000))
                .isInstanceOfSatisfying(
                        ApiException.class,
                        over -> {
                            var direct =
                                    (ApiException)
                                            catchThrowable(() ->
                                                    leader.server.call(
                                                            Method.KV_APPLY, set("", "1")));
                            assertThat(over.kind()).isEqualTo(direct.kind());
                            assertThat(over.text()).isEqualTo(direct.text());
                        });
        assertThatThrownBy(() ->
                        overLink()
                                .call(
                                        new Method<>("No.Such", String.class, Boolean.class),
                                        "",
                                        null,
                                        0))
                .hasMessage("rpc: can't find method No.Such");
    }

    @Test
    void withoutALeaderItSaysSoAndAsksNobody() {
        follower.leader = "";
        assertThatThrownBy(() -> overLink().call(Method.KV_APPLY, set("a", "1"), null, 100))
                .hasMessage("No cluster leader");
        var asked = new Asked();
        overLink().ask(get("a", 0, Consistency.DEFAULT), asked, 100);
        assertThatThrownBy(() -> asked.orTimeout(10, TimeUnit.SECONDS).join())
                .hasMessageContaining("No cluster leader");
    }

    @Test
    void aLeaderThatAppearsInTimeIsWaitedFor() {
        String leads = follower.leader;
        follower.leader = "";
        var asked = new Asked();
        overLink().ask(get("a", 0, Consistency.DEFAULT), asked, 7000);
        CompletableFuture<Boolean> written =
                CompletableFuture.supplyAsync(() -> sentOn.call(Method.KV_APPLY, set("b", "1")));
        await().until(() -> sentOnToLeader() == 1);
        follower.leader = leads;
        assertThat(asked.orTimeout(10, TimeUnit.SECONDS).join().found()).isFalse();
        assertThat(written.orTimeout(10, TimeUnit.SECONDS).join()).isTrue();
    }

    /** Two servers that take each other for the leader must not send a question round for ever. */
    @Test
    void whatWasSentOnIsNotSentOnAgain() {
        follower.leader = "127.0.0.1:" + followerAddress.getPort();
        var asked = new Asked();
        overLink().ask(get("a", 0, Consistency.DEFAULT), asked, 200);
        assertThatThrownBy(() -> asked.orTimeout(10, TimeUnit.SECONDS).join())
                .hasMessageContaining("No cluster leader");
    }

    /** Applies what it is asked, and loses every other answer. */
    private final class Forgetful implements Servers {
        final AtomicInteger calls = new AtomicInteger();

        @Override
        public <Q, A> A call(Method<Q, A> method, Q request) {
            A answer = leader.server.call(method, request);
            if (calls.incrementAndGet() % 2 == 1) {
                throw new ApiException(ApiException.Kind.UNKNOWN, "the leader changed");
            }
            return answer;
        }

        @Override
        public Held ask(Question question, Listener listener) {
            return leader.server.ask(question, listener);
        }

        @Override
        public String leader() {
            return "127.0.0.1:8300";
        }

        @Override
        public List<String> peers() {
            return List.of("127.0.0.1:8300", "127.0.0.1:8301");
        }
    }

    private long modified(String key) {
        return leader.ask(get(key, 0, Consistency.DEFAULT)).join().index();
    }

    /** A compare-and-set that is applied twice says false the second time. */
    @Test
    void aWriteWhoseAnswerIsLostIsAppliedOnce() throws Exception {
        var forgetful = new Forgetful();
        Hub hub = own(new Hub(() -> "", List.of()));
        follower.leader = serve(forgetful, hub, "n3");
        leader.put("counter", "0");
        for (int i = 0; i < 50; i++) {
            long index = modified("counter");
            var cas =
                    new KvWrite(
                            KvWrite.Verb.CAS,
                            "counter",
                            Integer.toString(i + 1).getBytes(UTF_8),
                            0,
                            index,
                            null);
            assertThat(sentOn.call(Method.KV_APPLY, cas)).isTrue();
        }
        assertThat(forgetful.calls).hasValue(100);
    }

    @Test
    void randomBytesChangeNothing() {
        Hub asker = own(new Hub(() -> "", List.of()));
        Hub.Peer peer =
                asker.dial("", RpcService.asking("c1", () -> {}), () -> followerAddress, 20);
        long seed = System.nanoTime();
        Random random = new Random(seed);
        long before = leader.consensus.index();
        for (int round = 0; round < 500; round++) {
            byte[] body = new byte[random.nextInt(200)];
            random.nextBytes(body);
            if (peer.link() == null) {
                await().until(() -> peer.link() != null);
            }
            Link link = peer.link();
            byte[] answer =
                    link == null
                            ? null
                            : link.call((byte) random.nextInt(6), body, 5000, 100)
                                    .exceptionally(error -> null)
                                    .join();
            assertThat(answer == null || answer.length < 200 + body.length)
                    .as("seed %d", seed)
                    .isTrue();
        }
        assertThat(leader.consensus.index()).as("seed %d", seed).isEqualTo(before);
        assertThat(sentOn.call(Method.KV_APPLY, set("a", "1"))).isTrue();
    }

    /** Collects how a question ended. */
    private static final class Asked extends CompletableFuture<Reply> implements Target.Outcome {
        @Override
        public void answered(Reply reply) {
            complete(reply);
        }

        @Override
        public void failed(ApiException error, boolean elsewhere) {
            completeExceptionally(error);
        }
    }
}
