package registry.server.raft;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.alipay.sofa.jraft.error.RemotingException;
import com.alipay.sofa.jraft.rpc.InvokeCallback;
import com.alipay.sofa.jraft.rpc.RpcRequests.TimeoutNowRequest;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import registry.server.link.Hub;
import registry.server.link.Link;
import registry.server.link.Service;

/** A peer that takes every message and answers none. */
class RaftLinksTest {
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
