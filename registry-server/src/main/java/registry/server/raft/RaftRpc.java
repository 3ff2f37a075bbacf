package registry.server.raft;

import com.alipay.sofa.jraft.ReplicatorGroup;
import com.alipay.sofa.jraft.error.RemotingException;
import com.alipay.sofa.jraft.option.RpcOptions;
import com.alipay.sofa.jraft.rpc.InvokeCallback;
import com.alipay.sofa.jraft.rpc.InvokeContext;
import com.alipay.sofa.jraft.rpc.RaftRpcFactory;
import com.alipay.sofa.jraft.rpc.RpcClient;
import com.alipay.sofa.jraft.rpc.RpcServer;
import com.alipay.sofa.jraft.util.Endpoint;
import com.alipay.sofa.jraft.util.SPI;

/**
 * The engine's way to its peers, found by it as a service. An endpoint's host is the peer's raft
 * id. A server that is its cluster's only voter has no peers: every call is refused at once,
 * because the engine calls with its lock held.
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
        @Override
        public boolean init(RpcOptions options) {
            return true;
        }

        @Override
        public void shutdown() {}

        @Override
        public boolean checkConnection(Endpoint peer) {
            return false;
        }

        @Override
        public boolean checkConnection(Endpoint peer, boolean createIfAbsent) {
            return false;
        }

        @Override
        public void closeConnection(Endpoint peer) {}

        @Override
        public void registerConnectEventListener(ReplicatorGroup group) {}

        @Override
        public Object invokeSync(
                Endpoint peer, Object request, InvokeContext context, long timeoutMillis)
                throws RemotingException {
            throw new RemotingException("no connection to " + peer.getIp());
        }

        @Override
        public void invokeAsync(
                Endpoint peer,
                Object request,
                InvokeContext context,
                InvokeCallback callback,
                long timeoutMillis)
                throws RemotingException {
            throw new RemotingException("no connection to " + peer.getIp());
        }
    }
}
