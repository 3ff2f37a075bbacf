package registry.agent.rpc;

import java.net.InetSocketAddress;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import registry.api.ApiException;
import registry.server.leader.Members;
import registry.server.link.Hub;
import registry.server.link.Service;
import registry.server.rpc.Method;
import registry.server.rpc.Question;
import registry.server.rpc.Remote;
import registry.server.rpc.Router;
import registry.server.rpc.RpcService;
import registry.server.rpc.Servers;
import registry.server.rpc.Target;

/**
 * The servers as a client agent sees them: gossip says where they are, a link to each says whether
 * they answer. Gossip's suspicions cost nothing: a link that works is used.
 *
 * <p>Every half second each server is asked who leads; while no answer is waited for, the leader
 * every second and the others every two. The leader is asked first, which saves a hop; a server
 * that keeps silent is left, and its questions are asked elsewhere.
 */
public final class RpcClient implements Servers, AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(RpcClient.class);
    private static final long PROBE_MILLIS = 500;
    private static final int LOOKS = 4;

    /** A link that has just begun is usable a moment later. */
    private static final long MOVED_MILLIS = 10;

    private static final long MAX_PAUSE_MILLIS = 1_000;

    /** A server that finds no leader for so long may be cut off: another may know one. */
    private static final int PATIENCE_MILLIS = 2_000;

    private final Members members;
    private final Hub hub;
    private final Service asking;
    private final Router router = new Router(new ByGossip());
    private final Map<String, Known> known = new ConcurrentSkipListMap<>();
    private final AtomicBoolean probeDue = new AtomicBoolean();
    private final ScheduledThreadPoolExecutor timer =
            new ScheduledThreadPoolExecutor(
                    1, Thread.ofPlatform().name("rpc-servers").daemon().factory());

    // Only the timer knows it.
    private int looksQuietly;

    /** Who answered last when no leader was known: stays, for as long as it answers. */
    private volatile String current = "";

    /** A server, and what it said last. */
    private static final class Known {
        private final String address;
        private final Hub.Peer peer;
        private final Remote remote;
        private volatile boolean silent;
        private volatile Remote.Status status = new Remote.Status("", List.of());

        Known(String address, Hub.Peer peer) {
            this.address = address;
            this.peer = peer;
            this.remote = new Remote(address, peer::link, false);
        }

        boolean answers() {
            return !silent && remote.isLinked();
        }
    }

    /**
     * @param hub dials; its owner closes it
     */
    public RpcClient(Members members, Hub hub, String nodeId) {
        this.members = members;
        this.hub = hub;
        this.asking = RpcService.asking(nodeId, this::probeSoon);
        timer.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
        members.onChange(this::probeSoon);
        timer.scheduleWithFixedDelay(this::lookAgain, 0, PROBE_MILLIS, TimeUnit.MILLISECONDS);
    }

    private void probeSoon() {
        if (!probeDue.compareAndSet(false, true)) {
            return;
        }
        try {
            timer.schedule(
                    () -> {
                        probeDue.set(false);
                        look();
                    },
                    MOVED_MILLIS,
                    TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException closed) {
            // Nobody is looked for any more.
        }
    }

    /** While it is quiet, rarely; whoever begins to ask is looked after within half a second. */
    private void lookAgain() {
        int looks = router.isQuiet() ? looksQuietly++ % LOOKS : 0;
        if (looks == 0) {
            look();
        } else if (looks == LOOKS / 2) {
            Known leading = known.get(leader());
            if (leading != null && leading.answers()) {
                probe(leading);
            } else {
                look();
            }
        }
    }

    private void look() {
        try {
            follow(members.all());
            known.values().forEach(this::probe);
        } catch (RuntimeException e) {
            log.error("looking for servers failed", e);
        }
    }

    /** Whoever has left, or moved, is forgotten; whoever has merely failed may be back any time. */
    private void follow(List<Members.Peer> all) {
        Map<String, Members.State> servers = new HashMap<>();
        for (Members.Peer peer : all) {
            if (peer.server() && peer.rpcPort() > 0 && peer.state() != Members.State.LEFT) {
                servers.put(address(peer), peer.state());
            }
        }
        known.values()
                .removeIf(server -> {
                    boolean gone = !servers.containsKey(server.address);
                    if (gone) {
                        server.peer.close();
                    }
                    return gone;
                });
        servers.forEach((address, state) -> {
            Known server = known.computeIfAbsent(address, this::dial);
            if (state == Members.State.ALIVE && !server.remote.isLinked()) {
                server.peer.wake();
            }
        });
    }

    private static String address(Members.Peer peer) {
        String host = peer.address();
        return (host.contains(":") ? "[" + host + "]" : host) + ":" + peer.rpcPort();
    }

    private Known dial(String address) {
        int colon = address.lastIndexOf(':');
        String host = address.substring(0, colon).replace("[", "").replace("]", "");
        var at = new InetSocketAddress(host, Integer.parseInt(address.substring(colon + 1)));
        return new Known(address, hub.dial("", asking, () -> at, MAX_PAUSE_MILLIS));
    }

    private void probe(Known server) {
        server.remote.status(
                status -> {
                    server.silent = false;
                    server.status = status;
                },
                () -> {
                    if (!server.silent) {
                        server.silent = true;
                        log.warn("a server is silent, others are asked: server={}", server.address);
                    }
                    router.leave(server.remote);
                });
    }

    @Override
    public <Q, A> A call(Method<Q, A> method, Q request) {
        return router.call(method, request, true, Router.HOLD_MILLIS);
    }

    @Override
    public Held ask(Question question, Listener listener) {
        return router.ask(question, listener, Router.HOLD_MILLIS);
    }

    /** As most of those see it who answer. */
    @Override
    public String leader() {
        Map<String, Integer> votes = new HashMap<>();
        for (Known server : known.values()) {
            String leader = server.status.leader();
            if (server.answers() && !leader.isEmpty()) {
                votes.merge(leader, 1, Integer::sum);
            }
        }
        return votes.entrySet().stream()
                .max(Map.Entry.comparingByValue())
                .map(Map.Entry::getKey)
                .orElse("");
    }

    @Override
    public List<String> peers() {
        String leader = leader();
        Known leading = known.get(leader);
        if (leading != null && leading.answers() && !leading.status.peers().isEmpty()) {
            return leading.status.peers();
        }
        return known.values().stream()
                .filter(Known::answers)
                .map(server -> server.status.peers())
                .filter(peers -> !peers.isEmpty())
                .findFirst()
                .orElse(List.of());
    }

    @Override
    public void close() {
        timer.shutdownNow();
        router.close();
        known.values().forEach(server -> server.peer.close());
    }

    private final class ByGossip implements Router.Targets {
        @Override
        public @Nullable Target pick(boolean stale, @Nullable Target failed) {
            Known leading = stale ? null : known.get(leader());
            if (leading != null && isGood(leading, failed)) {
                return leading.remote;
            }
            Known stays = known.get(current);
            if (stays != null && isGood(stays, failed)) {
                return stays.remote;
            }
            Known last = null;
            for (Known server : known.values()) {
                if (isGood(server, failed)) {
                    current = server.address;
                    return server.remote;
                }
                last = server.remote.isLinked() ? server : last;
            }
            return last == null ? null : last.remote;
        }

        private static boolean isGood(Known server, @Nullable Target failed) {
            return server.remote != failed && server.answers();
        }

        @Override
        public ApiException nobody() {
            return known.isEmpty()
                    ? new ApiException(ApiException.Kind.NO_LEADER, "No known Consul servers")
                    : ApiException.noLeader();
        }

        @Override
        public boolean mayAppear() {
            return !known.isEmpty();
        }

        @Override
        public int patienceMillis() {
            return PATIENCE_MILLIS;
        }
    }
}
