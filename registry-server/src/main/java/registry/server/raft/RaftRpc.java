package registry.server.raft;

import com.alipay.sofa.jraft.ReplicatorGroup;
import com.alipay.sofa.jraft.error.RemotingException;
import com.alipay.sofa.jraft.option.NodeOptions;
import com.alipay.sofa.jraft.option.RpcOptions;
import com.alipay.sofa.jraft.rpc.InvokeCallback;
import com.alipay.sofa.jraft.rpc.InvokeContext;
import com.alipay.sofa.jraft.rpc.RaftRpcFactory;
import com.alipay.sofa.jraft.rpc.RpcClient;
import com.alipay.sofa.jraft.rpc.RpcServer;
import com.alipay.sofa.jraft.util.Endpoint;
import com.alipay.sofa.jraft.util.SPI;
import com.google.protobuf.Message;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * The engine's way to its peers, found by it as a service. An endpoint's host is the peer's raft
 * id. A server that is its cluster's only voter has no {@link RaftLinks}: every call is refused at
 * once.
 */
@SPI(name = "registry", priority = 100)
public final class RaftRpc implements RaftRpcFactory {
    @Override
    public void registerProtobufSerializer(String className, Object... args) {}

    @Override
    public RpcClient createRpcClient(ConfigHelper<RpcClient> helper) {
        return new Client();
    }

    @Override
    public RpcServer createRpcServer(Endpoint endpoint, ConfigHelper<RpcServer> helper) {
        throw new UnsupportedOperationException("the engine opens no port of its own");
    }

    private static final class Client implements RpcClient {
        private @Nullable RaftLinks links;
        private @Nullable ReplicatorGroup group;

        /**
         * The engine hands over its node's options, which is where this client learns whose it is.
         */
        @Override
        public boolean init(RpcOptions options) {
            if (options instanceof NodeOptions node
                    && node.getServiceFactory() instanceof EngineParts parts) {
                links = parts.links();
            }
            if (links != null && group != null) {
                links.register(group);
            }
            return true;
        }

        @Override
        public void shutdown() {}

        @Override
        public boolean checkConnection(Endpoint peer) {
            return links != null && links.isConnected(peer.getIp());
        }

        @Override
        public boolean checkConnection(Endpoint peer, boolean createIfAbsent) {
            return checkConnection(peer);
        }

        /** A link outlives the engine's interest in it. */
        @Override
        public void closeConnection(Endpoint peer) {}

        @Override
        public void registerConnectEventListener(ReplicatorGroup replicators) {
            group = replicators;
        }

        @Override
        public Object invokeSync(
                Endpoint peer, Object request, InvokeContext context, long timeoutMillis)
                throws InterruptedException, RemotingException {
            CompletableFuture<Object> reply = new CompletableFuture<>();
            invokeAsync(peer, request, context, new Waiting(reply), timeoutMillis);
            try {
                return reply.get(timeoutMillis, TimeUnit.MILLISECONDS);
            } catch (ExecutionException | TimeoutException e) {
                throw new RemotingException(e);
            }
        }

        @Override
        public void invokeAsync(
                Endpoint peer,
                Object request,
                InvokeContext context,
                InvokeCallback callback,
                long timeoutMillis)
                throws RemotingException {
            RaftLinks through = links;
            if (through == null) {
                throw new RemotingException("no link to " + peer.getIp());
            }
            through.call(peer.getIp(), (Message) request, callback, timeoutMillis);
        }
    }

    private record Waiting(CompletableFuture<Object> reply) implements InvokeCallback {
        @Override
        public void complete(@Nullable Object result, @Nullable Throwable error) {
            if (error == null) {
                reply.complete(result);
            } else {
                reply.completeExceptionally(error);
            }
        }

        @Override
        public Executor executor() {
            return Runnable::run;
        }
    }
}
