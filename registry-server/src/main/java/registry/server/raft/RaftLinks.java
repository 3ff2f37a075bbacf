package registry.server.raft;

import com.alipay.sofa.jraft.ReplicatorGroup;
import com.alipay.sofa.jraft.core.Replicator;
import com.alipay.sofa.jraft.entity.PeerId;
import com.alipay.sofa.jraft.error.InvokeTimeoutException;
import com.alipay.sofa.jraft.error.RemotingException;
import com.alipay.sofa.jraft.rpc.Connection;
import com.alipay.sofa.jraft.rpc.InvokeCallback;
import com.alipay.sofa.jraft.rpc.RaftRpcServerFactory;
import com.alipay.sofa.jraft.rpc.RpcContext;
import com.alipay.sofa.jraft.rpc.RpcProcessor;
import com.alipay.sofa.jraft.rpc.RpcRequests.AppendEntriesRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.AppendEntriesRequestHeader;
import com.alipay.sofa.jraft.rpc.RpcServer;
import com.alipay.sofa.jraft.rpc.impl.ConnectionClosedEventListener;
import com.alipay.sofa.jraft.util.ThreadId;
import com.alipay.sofa.jraft.util.Utils;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.jspecify.annotations.Nullable;
import registry.server.link.Hub;
import registry.server.link.Link;
import registry.server.link.Service;

/**
 * Carries the engine's messages of one server over links: one outgoing link to each peer for our
 * questions, one incoming for theirs. The engine calls with its lock held, so every call answers at
 * once: without a live link it is refused.
 */
final class RaftLinks implements AutoCloseable {
    /** Raft's byte in the hello. */
    static final byte SERVICE = 1;

    /** The largest command that can be told to others: a frame holds it and what goes with it. */
    static final int MAX_COMMAND_BYTES = 7 << 20;

    private static final int MAX_FRAME_BYTES = 8 << 20;
    private static final int MAX_QUEUE_BYTES = 16 << 20;
    private static final long MAX_PAUSE_MILLIS = 100;

    private final String self;
    private final RaftNetwork network;
    private final Map<String, Hub.Peer> peers = new ConcurrentHashMap<>();
    private final List<ReplicatorGroup> groups = new CopyOnWriteArrayList<>();
    private final Server server = new Server();
    private final Service incoming;
    private final Service outgoing;
    private final Hub hub;
    private volatile boolean engineRuns;

    /** Held for reading by whoever asks the engine, which does not end meanwhile. */
    private final ReadWriteLock engineStays = new ReentrantReadWriteLock();

    private volatile long leaderHeard = System.nanoTime();

    /** Platform threads: what they run syncs the log. */
    private final ExecutorService workers =
            Executors.newCachedThreadPool(
                    Thread.ofPlatform().daemon().name("raft-rpc-", 0).factory());

    RaftLinks(String raftId, RaftNetwork network) {
        this.self = raftId;
        this.network = network;
        var threads = Thread.ofPlatform().daemon().name("raft-link-", 0).factory();
        this.incoming =
                new Service(
                        SERVICE, raftId, server, MAX_FRAME_BYTES, MAX_QUEUE_BYTES, threads, true);
        this.outgoing =
                new Service(
                        SERVICE,
                        raftId,
                        new Outgoing(),
                        MAX_FRAME_BYTES,
                        MAX_QUEUE_BYTES,
                        threads,
                        false);
        RaftRpcServerFactory.addRaftRequestProcessors(server, workers, workers);
        this.hub = network.hub(incoming);
    }

    /** Begins to dial a peer, before the first message for it. */
    void meet(String raftId) {
        peer(raftId);
    }

    /** The engine may be told of links, and asked, from now on; it is lost without its node. */
    void engineRuns() {
        engineRuns = true;
    }

    /** The engine is asked nothing any more, when this returns. */
    void engineEnds() {
        engineStays.writeLock().lock();
        try {
            engineRuns = false;
        } finally {
            engineStays.writeLock().unlock();
        }
    }

    /** Dials these from now on, if it does not yet; whoever else was dialled is left alone. */
    void meetOnly(Set<String> raftIds) {
        for (String raftId : raftIds) {
            if (!raftId.equals(self)) {
                peer(raftId);
            }
        }
        for (String raftId : peers.keySet()) {
            if (!raftIds.contains(raftId)) {
                part(raftId);
            }
        }
    }

    private void part(String raftId) {
        Hub.Peer peer = peers.remove(raftId);
        if (peer != null) {
            peer.close();
        }
    }

    /** Since the last word of whoever takes itself for the leader. */
    long millisSinceLeader() {
        return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - leaderHeard);
    }

    /** As the leader: since a peer has answered; since ever if it never did. */
    long millisSinceHeard(String raftId) {
        PeerId peer = new PeerId(raftId, JraftConsensus.NO_PORT);
        long heard = 0;
        for (ReplicatorGroup group : groups) {
            heard = Math.max(heard, group.getLastRpcSendTimestamp(peer));
        }
        return Math.max(0, Utils.monotonicMs() - heard);
    }

    /** As the leader: the last entry that a peer is known to have; 0 when nothing is known. */
    long lastIndexOf(String raftId) {
        PeerId peer = new PeerId(raftId, JraftConsensus.NO_PORT);
        for (ReplicatorGroup group : groups) {
            ThreadId replicator = group.getReplicator(peer);
            if (replicator != null) {
                return Math.max(0, Replicator.getNextIndex(replicator) - 1);
            }
        }
        return 0;
    }

    boolean isConnected(String raftId) {
        return peer(raftId).link() != null;
    }

    void register(ReplicatorGroup group) {
        groups.add(group);
    }

    private Hub.Peer peer(String raftId) {
        return peers.computeIfAbsent(
                raftId, id -> hub.dial(id, outgoing, () -> network.address(id), MAX_PAUSE_MILLIS));
    }

    /**
     * Asks a peer; {@code callback} hears of it on its own executor.
     *
     * @throws RemotingException at once, when there is no link
     */
    void call(String raftId, Message request, InvokeCallback callback, long timeoutMillis)
            throws RemotingException {
        Link link = peer(raftId).link();
        if (link == null) {
            throw new RemotingException("no link to " + raftId);
        }
        byte type = RaftMessages.number(request);
        link.call(type, request.toByteArray(), timeoutMillis, 0)
                .whenComplete((reply, error) -> complete(callback, reply, error));
    }

    private void complete(
            InvokeCallback callback, byte @Nullable [] reply, @Nullable Throwable error) {
        Executor executor = callback.executor() == null ? workers : callback.executor();
        Runnable completion = () -> tell(callback, reply, error);
        try {
            executor.execute(completion);
        } catch (RejectedExecutionException full) {
            runOnWorkers(completion);
        }
    }

    /** At the very end nobody is left to hear of it. */
    private void runOnWorkers(Runnable completion) {
        try {
            workers.execute(completion);
        } catch (RejectedExecutionException closed) {
            completion.run();
        }
    }

    private static void tell(
            InvokeCallback callback, byte @Nullable [] reply, @Nullable Throwable error) {
        Message message = null;
        Throwable failure = null;
        if (reply == null) {
            failure =
                    error instanceof TimeoutException
                            ? new InvokeTimeoutException(error)
                            : new RemotingException(error);
        } else {
            try {
                message = RaftMessages.unwrap(reply);
            } catch (InvalidProtocolBufferException e) {
                failure = new RemotingException(e);
            }
        }
        callback.complete(message, failure);
    }

    /** On our own links only we ask. */
    private final class Outgoing implements Link.Handler {
        @Override
        public void request(Link.Request request) {
            request.refuse("not on this link");
        }

        @Override
        public void opened(Link link) {
            if (!engineRuns) {
                return;
            }
            PeerId peer = new PeerId(link.peer(), JraftConsensus.NO_PORT);
            runOnWorkers(() -> groups.forEach(group -> group.checkReplicator(peer, true)));
        }
    }

    /** What the engine takes for its RPC server; the peers' questions come in here. */
    private final class Server implements RpcServer, Link.Handler {
        private final Map<String, RpcProcessor<?>> processors = new ConcurrentHashMap<>();
        private final List<ConnectionClosedEventListener> listeners = new CopyOnWriteArrayList<>();

        /**
         * What the engine remembers with a connection, by peer: answers go out in the order of the
         * questions, over whichever link. If it were told that a link has ended, what comes on the
         * next one and is answered just then would be thrown away with the order, and the leader
         * wait for five seconds.
         */
        private final Map<String, Map<String, Object>> attributes = new ConcurrentHashMap<>();

        @Override
        public void request(Link.Request request) {
            Message message;
            try {
                message = RaftMessages.parse(request.type(), request.body());
            } catch (InvalidProtocolBufferException e) {
                request.link().close(e);
                return;
            }
            if (message instanceof AppendEntriesRequest) {
                leaderHeard = System.nanoTime();
            }
            RpcProcessor<?> processor = processors.get(message.getClass().getName());
            if (processor == null) {
                request.refuse("nobody here handles " + message.getClass().getSimpleName());
            } else {
                handle(processor, request, message);
            }
        }

        @SuppressWarnings("unchecked")
        private void handle(RpcProcessor<?> processor, Link.Request request, Message message) {
            Executor executor = askForExecutor(processor, message);
            if (executor == null) {
                request.refuse("Raft is starting or stopping");
                return;
            }
            try {
                executor.execute(() ->
                        ((RpcProcessor<Message>) processor)
                                .handleRequest(new Context(request, attributes(request)), message));
            } catch (RejectedExecutionException closed) {
                request.refuse("stopping");
            }
        }

        /** Null while there is no engine. */
        private @Nullable Executor askForExecutor(RpcProcessor<?> processor, Message message) {
            engineStays.readLock().lock();
            try {
                return engineRuns ? executor(processor, message) : null;
            } finally {
                engineStays.readLock().unlock();
            }
        }

        /** Entries of one peer go through one thread, in their order. */
        private Executor executor(RpcProcessor<?> processor, Message message) {
            Executor executor = processor.executor();
            if (message instanceof AppendEntriesRequest entries
                    && processor.executorSelector() != null) {
                AppendEntriesRequestHeader header =
                        AppendEntriesRequestHeader.newBuilder()
                                .setGroupId(entries.getGroupId())
                                .setServerId(entries.getServerId())
                                .setPeerId(entries.getPeerId())
                                .build();
                executor =
                        processor.executorSelector().select(message.getClass().getName(), header);
            }
            return executor == null ? workers : executor;
        }

        private Map<String, Object> attributes(Link.Request request) {
            return attributes.computeIfAbsent(
                    request.link().peer(), first -> new ConcurrentHashMap<>());
        }

        /** Nothing is asked any more. */
        void end() {
            attributes.forEach((peer, kept) ->
                    listeners.forEach(
                            listener -> listener.onClosed(peer, new LinkConnection(null, kept))));
        }

        @Override
        public void registerProcessor(RpcProcessor<?> processor) {
            processors.put(processor.interest(), processor);
        }

        @Override
        public void registerConnectionClosedEventListener(ConnectionClosedEventListener listener) {
            listeners.add(listener);
        }

        @Override
        public boolean init(@Nullable Void options) {
            return true;
        }

        @Override
        public void shutdown() {}

        @Override
        public int boundPort() {
            return JraftConsensus.NO_PORT;
        }

        @Override
        public boolean isStarted() {
            return true;
        }
    }

    private record Context(Link.Request request, Map<String, Object> attributes)
            implements RpcContext {
        @Override
        public void sendResponse(Object response) {
            request.reply(RaftMessages.wrap((Message) response));
        }

        @Override
        public Connection getConnection() {
            return new LinkConnection(request.link(), attributes);
        }

        @Override
        public String getRemoteAddress() {
            return request.link().peer();
        }
    }

    private record LinkConnection(@Nullable Link link, Map<String, Object> attributes)
            implements Connection {
        @Override
        public @Nullable Object getAttribute(String key) {
            return attributes.get(key);
        }

        @Override
        public void setAttribute(String key, Object value) {
            attributes.put(key, value);
        }

        @Override
        public @Nullable Object setAttributeIfAbsent(String key, Object value) {
            return attributes.putIfAbsent(key, value);
        }

        @Override
        public void close() {
            if (link != null) {
                link.close(new IOException("closed by Raft"));
            }
        }
    }

    /** Ends the links to the peers; the hub is its owner's to close. */
    @Override
    public void close() {
        peers.values().forEach(Hub.Peer::close);
        server.end();
        workers.shutdown();
    }
}
