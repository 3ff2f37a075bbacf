package registry.agent.rpc;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import registry.api.ApiException;
import registry.api.KvWrite;
import registry.server.leader.Members;
import registry.server.link.Hub;
import registry.server.link.Service;
import registry.server.once.Once;
import registry.server.once.RequestId;
import registry.server.rpc.Consistency;
import registry.server.rpc.Method;
import registry.server.rpc.Question;
import registry.server.rpc.Reply;
import registry.server.rpc.RpcService;
import registry.server.rpc.ServerRpc;
import registry.server.rpc.Servers;

class RpcClientTest {
    private final List<AutoCloseable> opened = new ArrayList<>();
    private final Gossip gossip = new Gossip();

    /** Members by hand. */
    private static final class Gossip implements Members {
        final List<Peer> peers = new CopyOnWriteArrayList<>();
        final List<Runnable> listeners = new CopyOnWriteArrayList<>();

        void put(String name, int port, State state) {
            peers.removeIf(peer -> peer.name().equals(name));
            peers.add(
                    new Peer(
                            name,
                            name,
                            "127.0.0.1",
                            true,
                            port,
                            state,
                            new TreeMap<>(),
                            new TreeMap<>()));
            listeners.forEach(Runnable::run);
        }

        @Override
        public List<Peer> all() {
            return peers;
        }

        @Override
        public void onChange(Runnable listener) {
            listeners.add(listener);
        }

        @Override
        public void publish(SortedMap<String, String> facts) {}
    }

    /** A server that holds every question that may be held. */
    private final class Holder implements Servers, AutoCloseable {
        final String name;
        final Hub hub = new Hub(() -> "", List.of());
        final ServerRpc rpc;
        final String address;
        final int port;
        final List<Listener> held = new CopyOnWriteArrayList<>();
        final AtomicInteger dropped = new AtomicInteger();
        volatile String leader = "";
        final List<RequestId> ids = new CopyOnWriteArrayList<>();
        volatile boolean dies;

        Holder(String name) throws IOException {
            this.name = name;
            InetSocketAddress at = hub.listen(new InetSocketAddress("127.0.0.1", 0));
            this.port = at.getPort();
            this.address = "127.0.0.1:" + port;
            this.rpc = new ServerRpc(this, hub, name, address, List.of(Method.KV_APPLY));
            hub.serve(rpc.service());
            opened.add(this);
            gossip.put(name, port, Members.State.ALIVE);
        }

        @Override
        public <Q, A> A call(Method<Q, A> method, Q request) {
            ids.add(Once.id());
            if (dies) {
                close();
                throw new ApiException(ApiException.Kind.INTERNAL, "gone");
            }
            return method.answer().cast(true);
        }

        @Override
        public Held ask(Question question, Listener listener) {
            if (question.minIndex() == 0) {
                listener.answered(reply(5));
                return () -> {};
            }
            held.add(listener);
            return () -> {
                held.remove(listener);
                dropped.incrementAndGet();
            };
        }

        Reply reply(long index) {
            return new Reply(true, index, true, 0, name.getBytes(UTF_8));
        }

        @Override
        public String leader() {
            return leader;
        }

        @Override
        public List<String> peers() {
            return List.of(address, "127.0.0.1:1");
        }

        @Override
        public void close() {
            rpc.close();
            hub.close();
        }
    }

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable part : opened.reversed()) {
            part.close();
        }
    }

    private RpcClient client() {
        Hub hub = new Hub(() -> "", List.of());
        var client = new RpcClient(gossip, hub, "c1");
        opened.add(hub);
        opened.add(client);
        return client;
    }

    private static Question held(long index) {
        return new Question(
                Question.KV_GET, "a", Map.of(), Consistency.DEFAULT, index, Duration.ofMinutes(1));
    }

    private static KvWrite write() {
        return new KvWrite(KvWrite.Verb.SET, "a", new byte[1], 0, 0, null);
    }

    /** Collects the answer. */
    private static final class Answer extends CompletableFuture<Reply> implements Servers.Listener {
        @Override
        public void answered(Reply reply) {
            complete(reply);
        }

        @Override
        public void failed(ApiException error) {
            completeExceptionally(error);
        }

        String from() {
            return new String(orTimeout(10, TimeUnit.SECONDS).join().body(), UTF_8);
        }
    }

    @Test
    void withoutServersItSaysSoAtOnce() {
        assertThatThrownBy(() -> client().call(Method.KV_APPLY, write()))
                .hasMessage("No known Consul servers");
    }

    @Test
    void theLeaderIsAskedFirst() throws Exception {
        var s1 = new Holder("s1");
        var s2 = new Holder("s2");
        s1.leader = s2.address;
        s2.leader = s2.address;
        RpcClient client = client();
        await().until(() -> client.leader().equals(s2.address));
        assertThat(client.peers()).contains(s2.address);
        var answer = new Answer();
        client.ask(held(0), answer);
        assertThat(answer.from()).isEqualTo("s2");
        assertThat(client.call(Method.KV_APPLY, write())).isTrue();
    }

    @Test
    void aHeldQuestionMovesWhenItsServerDies() throws Exception {
        var s1 = new Holder("s1");
        var s2 = new Holder("s2");
        s1.leader = s1.address;
        s2.leader = s1.address;
        RpcClient client = client();
        await().until(() -> client.leader().equals(s1.address));
        var answer = new Answer();
        client.ask(held(5), answer);
        await().until(() -> s1.held.size() == 1);
        s2.leader = s2.address;
        long killed = System.nanoTime();
        s1.close();
        await().pollInterval(Duration.ofMillis(5)).until(() -> s2.held.size() == 1);
        assertThat(Duration.ofNanos(System.nanoTime() - killed)).isLessThan(Duration.ofSeconds(5));
        s2.held.getFirst().answered(s2.reply(6));
        assertThat(answer.from()).isEqualTo("s2");
    }

    @Test
    void whatIsDroppedIsDroppedAtTheServer() throws Exception {
        var s1 = new Holder("s1");
        s1.leader = s1.address;
        RpcClient client = client();
        await().until(() -> client.leader().equals(s1.address));
        Servers.Held question = client.ask(held(5), new Answer());
        await().until(() -> s1.held.size() == 1);
        question.drop();
        await().until(() -> s1.dropped.get() == 1);
    }

    @Test
    void aFalseSuspicionCostsNothing() throws Exception {
        var s1 = new Holder("s1");
        s1.leader = s1.address;
        RpcClient client = client();
        await().until(() -> client.leader().equals(s1.address));
        var answer = new Answer();
        client.ask(held(5), answer);
        await().until(() -> s1.held.size() == 1);
        gossip.put("s1", s1.port, Members.State.FAILED);
        assertThat(client.call(Method.KV_APPLY, write())).isTrue();
        s1.held.getFirst().answered(s1.reply(6));
        assertThat(answer.from()).isEqualTo("s1");
    }

    /** It may have been applied before its server died: what comes again says that it does. */
    @Test
    void aWriteWhoseServerDiesIsSentAgainUnderTheSameId() throws Exception {
        var s1 = new Holder("s1");
        var s2 = new Holder("s2");
        s1.leader = s1.address;
        s2.leader = s1.address;
        s1.dies = true;
        RpcClient client = client();
        await().until(() -> client.leader().equals(s1.address));
        s2.leader = s2.address;
        assertThat(client.call(Method.KV_APPLY, write())).isTrue();
        assertThat(s1.ids).hasSize(1).doesNotContainNull().isEqualTo(s2.ids);
        client.call(Method.KV_APPLY, write());
        assertThat(s2.ids.get(1).number()).isEqualTo(2);
        assertThat(s2.ids.get(1).oldest()).isEqualTo(2);
    }

    /** Takes links and requests, and answers nothing, as a process that is stopped does. */
    private String frozen(String name) throws IOException {
        var hub = new Hub(() -> "", List.of());
        opened.add(hub);
        hub.serve(
                new Service(
                        RpcService.SERVICE,
                        name,
                        request -> {},
                        1 << 20,
                        1 << 20,
                        Thread.ofVirtual().factory(),
                        false));
        int port = hub.listen(new InetSocketAddress("127.0.0.1", 0)).getPort();
        gossip.put(name, port, Members.State.ALIVE);
        return "127.0.0.1:" + port;
    }

    @Test
    void aServerThatIsSilentIsLeftWithAllItWasAsked() throws Exception {
        var s2 = new Holder("s2");
        s2.leader = frozen("s1");
        RpcClient client = client();
        await().until(() -> client.leader().equals(s2.leader));
        var answer = new Answer();
        client.ask(held(5), answer);
        long asked = System.nanoTime();
        s2.leader = s2.address;
        assertThat(client.call(Method.KV_APPLY, write())).isTrue();
        assertThat(Duration.ofNanos(System.nanoTime() - asked)).isLessThan(Duration.ofSeconds(8));
        await().atMost(Duration.ofSeconds(8)).until(() -> s2.held.size() == 1);
        s2.held.getFirst().answered(s2.reply(6));
        assertThat(answer.from()).isEqualTo("s2");
    }
}
