package registry.server.rpc;

import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import registry.api.ApiException;
import registry.server.link.Hub;
import registry.server.link.Service;

/**
 * A server among servers: what only the leader may answer is sent on to it, once. Answers the
 * agents' questions over links, and those of this process.
 */
public final class ServerRpc implements Servers, AutoCloseable {
    private static final long MAX_PAUSE_MILLIS = 500;

    private final Servers local;
    private final Hub hub;
    private final String self;
    private final Service asking;
    private final Service service;
    private final Router router;
    private final Target here;
    private final Map<String, Leader> others = new ConcurrentHashMap<>();

    private record Leader(Hub.Peer peer, Remote remote) {}

    /**
     * @param local the server of this process
     * @param hub dials the others
     * @param address this server's own, as {@code local} would name it as leader
     * @param methods what may be called
     */
    public ServerRpc(
            Servers local, Hub hub, String nodeId, String address, List<Method<?, ?>> methods) {
        this.local = local;
        this.hub = hub;
        this.self = address;
        this.here = Target.local(local);
        this.asking = RpcService.asking(nodeId, () -> {});
        this.router = new Router(new ToLeader());
        this.service = new RpcService(local, router, methods).service(nodeId);
    }

    /** What the hub has to serve. */
    public Service service() {
        return service;
    }

    @Override
    public <Q, A> A call(Method<Q, A> method, Q request) {
        return router.call(method, request, Router.HOLD_MILLIS);
    }

    @Override
    public Held ask(Question question, Listener listener) {
        return router.ask(question, listener, Router.HOLD_MILLIS);
    }

    /** Questions that are not answered yet. */
    int underWay() {
        return router.underWay();
    }

    @Override
    public String leader() {
        return local.leader();
    }

    @Override
    public List<String> peers() {
        return local.peers();
    }

    @Override
    public void close() {
        router.close();
        others.values().forEach(other -> other.peer().close());
    }

    private final class ToLeader implements Router.Targets {
        /** Without a leader this server says so itself, and answers what needs none. */
        @Override
        public Target pick(boolean stale, @Nullable Target failed) {
            String leader = local.leader();
            if (stale && failed != here || leader.isEmpty() || leader.equals(self)) {
                return here;
            }
            return others.computeIfAbsent(leader, this::dial).remote();
        }

        private Leader dial(String address) {
            int colon = address.lastIndexOf(':');
            String host = address.substring(0, colon).replace("[", "").replace("]", "");
            var at = new InetSocketAddress(host, Integer.parseInt(address.substring(colon + 1)));
            Hub.Peer peer = hub.dial("", asking, () -> at, MAX_PAUSE_MILLIS);
            return new Leader(peer, new Remote(address, peer::link, true));
        }

        @Override
        public ApiException nobody() {
            return ApiException.noLeader();
        }

        @Override
        public int patienceMillis() {
            return 0;
        }
    }
}
