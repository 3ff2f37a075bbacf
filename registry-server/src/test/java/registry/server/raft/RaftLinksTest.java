package registry.server.raft;

import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.alipay.sofa.jraft.error.RemotingException;
import com.alipay.sofa.jraft.rpc.Connection;
import com.alipay.sofa.jraft.rpc.InvokeCallback;
import com.alipay.sofa.jraft.rpc.RpcContext;
import com.alipay.sofa.jraft.rpc.RpcProcessor;
import com.alipay.sofa.jraft.rpc.RpcRequests.AppendEntriesRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.TimeoutNowRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.TimeoutNowResponse;
import com.alipay.sofa.jraft.rpc.RpcServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import registry.server.link.Hub;
import registry.server.link.Link;
import registry.server.link.Service;

/** A peer that takes every message and answers none. */
class RaftLinksTest {
    private static final InetSocketAddress LOOPBACK = new InetSocketAddress("127.0.0.1", 0);

    private static final AppendEntriesRequest ENTRIES =
            AppendEntriesRequest.newBuilder()
                    .setGroupId("registry")
                    .setServerId("peer:1")
                    .setPeerId("me:1")
                    .setTerm(1)
                    .setPrevLogTerm(0)
                    .setPrevLogIndex(0)
                    .setCommittedIndex(0)
                    .build();

    private static final TimeoutNowRequest QUESTION =
            TimeoutNowRequest.newBuilder()
                    .setGroupId("registry")
                    .setServerId("me:1")
                    .setPeerId("peer:1")
                    .setTerm(1)
                    .build();

    private final Hub peer = new Hub(() -> "c1", List.of(silent("peer")));
    private final Hub own = new Hub(() -> "c1", List.of());
    private RaftLinks links;
    private Service incoming;
    private InetSocketAddress address;

    @BeforeEach
    void connect() throws IOException {
        address = peer.listen(new InetSocketAddress("127.0.0.1", 0));
        links =
                new RaftLinks(
                        "me",
                        new RaftNetwork() {
                            @Override
                            public Hub hub(Service raft) {
                                incoming = raft;
                                own.serve(raft);
                                return own;
                            }

                            @Override
                            public @Nullable InetSocketAddress address(String id) {
                                return id.equals("peer") ? address : null;
                            }
                        });
        links.meet("peer");
        await().atMost(5, SECONDS).until(() -> links.isConnected("peer"));
    }

    @AfterEach
    void close() {
        links.close();
        own.close();
        peer.close();
    }

    private static Service silent(String self) {
        return new Service(
                RaftLinks.SERVICE,
                self,
                (Link.Request request) -> {},
                1 << 20,
                1 << 20,
                Thread.ofVirtual().factory(),
                true);
    }

    /** The engine asks with its lock held: waiting for a connection would stop the server. */
    @Test
    void withoutALinkACallFailsAtOnce() {
        long begin = System.nanoTime();
        assertThat(links.isConnected("elsewhere")).isFalse();
        assertThatThrownBy(() -> ask("elsewhere")).isInstanceOf(RemotingException.class);
        assertThat(System.nanoTime() - begin).isLessThan(SECONDS.toNanos(1));
    }

    @Test
    void whatIsUnderWayEndsWhenAMemberIsMetNoMore() throws Exception {
        CompletableFuture<Object> reply = ask("peer");
        assertThat(reply).isNotDone();
        links.meetOnly(Set.of());
        await().atMost(2, SECONDS).until(reply::isCompletedExceptionally);
    }

    @Test
    void whatIsUnderWayEndsWhenTheServerStops() throws Exception {
        CompletableFuture<Object> reply = ask("peer");
        assertThat(reply).isNotDone();
        links.close();
        await().atMost(2, SECONDS).until(reply::isCompletedExceptionally);
    }

    /** The engine is lost, and the link with it, when it is asked for a node that is no more. */
    @Test
    void theEngineDoesNotEndWhileItIsAsked() throws Exception {
        var asked = new CountDownLatch(1);
        var answer = new CountDownLatch(1);
        ((RpcServer) incoming.handler()).registerProcessor(new Slow(asked, answer));
        links.engineRuns();
        Hub.Peer asker = peer.dial("me", silent("peer"), inform(own.listen(LOOPBACK)), 100);
        await().atMost(5, SECONDS).until(() -> asker.link() != null);
        Link link = Objects.requireNonNull(asker.link());
        byte type = RaftMessages.number(ENTRIES);
        CompletableFuture<byte[]> first = link.call(type, ENTRIES.toByteArray(), 60_000, 0);
        assertThat(asked.await(5, SECONDS)).isTrue();

        CompletableFuture<Void> ended = CompletableFuture.runAsync(links::engineEnds);
        assertThatThrownBy(() -> ended.get(100, MILLISECONDS)).isInstanceOf(TimeoutException.class);
        answer.countDown();
        ended.get(5, SECONDS);

        assertThatThrownBy(() -> link.call(type, ENTRIES.toByteArray(), 60_000, 0).get(5, SECONDS))
                .hasMessageContaining("starting or stopping");
        assertThat(first).isNotDone();
    }

    /**
     * The engine numbers what a peer asks, and answers in that order. A link that is replaced must
     * not make it forget, for the questions of the next one may be numbered already.
     */
    @Test
    void whatTheEngineKnowsOfAPeerOutlivesALink() throws Exception {
        var ended = new CopyOnWriteArrayList<String>();
        RpcServer server = (RpcServer) incoming.handler();
        server.registerProcessor(new Counting());
        server.registerConnectionClosedEventListener(
                (remote, connection) -> ended.add(remote + " " + connection.getAttribute("asked")));
        links.engineRuns();
        Hub.Peer asker = peer.dial("me", silent("peer"), inform(own.listen(LOOPBACK)), 100);
        for (int i = 1; i <= 3; i++) {
            await().atMost(5, SECONDS).until(() -> asker.link() != null);
            Link link = Objects.requireNonNull(asker.link());
            byte[] reply =
                    link.call(RaftMessages.number(QUESTION), QUESTION.toByteArray(), 60_000, 0)
                            .get(10, SECONDS);
            assertThat(((TimeoutNowResponse) RaftMessages.unwrap(reply)).getTerm()).isEqualTo(i);
            link.close(new IOException("cut"));
            await().atMost(5, SECONDS).until(() -> asker.link() != link);
        }
        assertThat(ended).isEmpty();
        links.close();
        assertThat(ended).containsExactly("peer 3");
    }

    /** Answers with how often the peer has asked. */
    private record Counting() implements RpcProcessor<TimeoutNowRequest> {
        @Override
        public void handleRequest(RpcContext context, TimeoutNowRequest request) {
            Connection connection = context.getConnection();
            long asked = connection.getAttribute("asked") instanceof Long before ? before + 1 : 1L;
            connection.setAttribute("asked", asked);
            context.sendResponse(
                    TimeoutNowResponse.newBuilder().setTerm(asked).setSuccess(true).build());
        }

        @Override
        public String interest() {
            return TimeoutNowRequest.class.getName();
        }
    }

    private static Supplier<@Nullable InetSocketAddress> inform(InetSocketAddress at) {
        return () -> at;
    }

    /** Takes its time to say who handles a message, and then handles it without an answer. */
    private record Slow(CountDownLatch asked, CountDownLatch answer)
            implements RpcProcessor<AppendEntriesRequest> {
        @Override
        public void handleRequest(RpcContext context, AppendEntriesRequest request) {}

        @Override
        public String interest() {
            return AppendEntriesRequest.class.getName();
        }

        @Override
        public ExecutorSelector executorSelector() {
            return (type, header) -> {
                asked.countDown();
                try {
                    answer.await();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
                return Runnable::run;
            };
        }
    }

    private CompletableFuture<Object> ask(String raftId) throws RemotingException {
        CompletableFuture<Object> reply = new CompletableFuture<>();
        links.call(
                raftId,
                QUESTION,
                new InvokeCallback() {
                    @Override
                    public void complete(@Nullable Object result, @Nullable Throwable error) {
                        if (error == null) {
                            reply.complete(result);
                        } else {
                            reply.completeExceptionally(error);
                        }
                    }

                    @Override
                    public @Nullable Executor executor() {
                        return null;
                    }
                },
                60_000);
        return reply;
    }
}
