package registry.server.rpc;

import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import registry.api.ApiException;
import registry.server.link.Hub;
import registry.server.link.Service;

/**
 * A server among servers: what only the leader may answer is sent on to it, once. Answers the
 * agents' questions over links, and those of this process.
 */
public final class ServerRpc implements Servers, AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(ServerRpc.class);
    private static final long MAX_PAUSE_MILLIS = 500;
    private static final long LOOK_MILLIS = 200;

    /** What was on its way to the old leader when it was left first is left then. */
    private static final int LEAVE_LOOKS = 3;

    /** While nobody waits for a leader's answer, every so many. */
    private static final int LOOKS_AT_REST = 5;

    private final Servers local;
    private final Hub hub;
    private final String self;
    private final Service asking;
    private final Service service;
    private final Router router;
    private final Target here;
    private final Map<String, Leader> others = new ConcurrentHashMap<>();
    private final ScheduledThreadPoolExecutor timer =
            new ScheduledThreadPoolExecutor(
                    1, Thread.ofPlatform().name("rpc-leader").daemon().factory());

    /** Whether another server may lead one day: what only this one can apply needs no number. */
    private volatile boolean hasOthers;

    // Only the timer knows these.
    private String seen = "";
    private int leaving;
    private int looksAtRest;

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
        timer.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
        timer.scheduleWithFixedDelay(this::look, 0, LOOK_MILLIS, TimeUnit.MILLISECONDS);
    }

    /** Whoever leads no more may be frozen, and its link look sound. */
    private void look() {
        boolean rests = leaving == 0 && router.isQuiet();
        if (rests && looksAtRest++ % LOOKS_AT_REST != 0) {
            return;
        }
        try {
            hasOthers = local.peers().size() > 1;
            String leader = local.leader();
            if (!leader.equals(seen)) {
                seen = leader;
                leaving = LEAVE_LOOKS;
            }
            if (leaving > 0 && !leader.isEmpty()) {
                leaving--;
                others.forEach((address, other) -> {
                    if (!address.equals(leader)) {
                        router.leave(other.remote());
                    }
                });
            }
        } catch (RuntimeException e) {
            log.error("looking at the leader failed", e);
        }
    }

    /** What the hub has to serve. */
    public Service service() {
        return service;
    }

    @Override
    public <Q, A> A call(Method<Q, A> method, Q request) {
        return router.call(method, request, hasOthers, Router.HOLD_MILLIS);
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
        timer.shutdownNow();
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
