package registry.agent.local;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import registry.agent.check.Ask;
import registry.api.ApiException;
import registry.api.HealthCheck;
import registry.api.Node;
import registry.api.NodeService;
import registry.api.json.Json;
import registry.server.rpc.Consistency;
import registry.server.rpc.Question;
import registry.server.rpc.Reply;
import registry.server.rpc.Servers;

/**
 * Keeps the catalogue's view of this node equal to the node's own: one loop that pushes changes as
 * they are told, and compares everything at the start, at least once a minute, and soon after the
 * catalogue's entries of this node have moved. Source: consul-api 9.3
 */
final class AntiEntropy implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(AntiEntropy.class);

    /**
     * Between two full comparisons: so much, and a random part of {@link #SPREAD} that keeps agents
     * apart.
     */
    private static final Duration INTERVAL = Duration.ofSeconds(45);

    private static final Duration SPREAD = Duration.ofSeconds(15);
    private static final Duration RETRY = Duration.ofSeconds(15);

    /** While a retry is waited for: how often to look whether there is a leader again. */
    private static final Duration LEADER_POLL = Duration.ofMillis(20);

    /** When servers only have too much to do. */
    private static final Duration RETRY_OVERLOADED = Duration.ofSeconds(1);

    /**
     * After the catalogue has moved: changes of our own come in bursts, and are most of what moves
     * it.
     */
    private static final Duration SETTLE = Duration.ofMillis(250);

    /**
     * The longest that a comparison is put off when the catalogue moves often for reasons that are
     * not this node's.
     */
    private static final Duration MAX_SETTLE = Duration.ofSeconds(30);

    /**
     * A comparison of thousands of services costs something: it gets a fiftieth of the time, but
     * comes at least this often.
     */
    private static final int COST_FACTOR = 50;

    private static final Duration MAX_SETTLE_FOR_COST = Duration.ofSeconds(1);

    /** Groups pushed at the same time: their log entries share a sync. */
    private static final int PARALLEL = 16;

    private final Entries entries;
    private final CatalogPush push;
    private final Servers servers;
    private final RandomGenerator random;
    private final OwnNodeWatch services;
    private final OwnNodeWatch checks;
    private final Thread thread;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition told = lock.newCondition();
    private boolean changed;
    private boolean catalogueMoved;
    private volatile boolean closed;

    // Only the loop knows these.
    private long nextFull;
    private long settleNanos = SETTLE.toNanos();
    private long pushesAtLastFull;

    /**
     * Groups that servers refuse as they are: left alone until the next comparison, so that they
     * hold up nobody else.
     */
    private final Set<String> refused = ConcurrentHashMap.newKeySet();

    AntiEntropy(Entries entries, CatalogPush push, Servers servers, RandomGenerator random) {
        this.entries = entries;
        this.push = push;
        this.servers = servers;
        this.random = random;
        String node = entries.node().node();
        this.services =
                new OwnNodeWatch(Question.CATALOG_NODE_SERVICES, node, servers, this::moved);
        this.checks = new OwnNodeWatch(Question.HEALTH_NODE, node, servers, this::moved);
        this.thread = Thread.ofVirtual().name("anti-entropy").unstarted(this::loop);
    }

    void start() {
        thread.start();
    }

    /**
     * Something has changed here. Never blocks; any number of calls before the loop looks are one.
     */
    void trigger() {
        tell(false);
    }

    private void moved() {
        tell(true);
    }

    private void tell(boolean byCatalogue) {
        lock.lock();
        try {
            if (byCatalogue) {
                catalogueMoved = true;
            } else {
                changed = true;
            }
            told.signal();
        } finally {
            lock.unlock();
        }
    }

    private void loop() {
        boolean full = true;
        try {
            while (!closed) {
                String leader = servers.leader();
                Outcome outcome = full ? syncFull() : pushChanges();
                switch (outcome) {
                    case DONE -> full = await();
                    case OVERLOADED -> {
                        awaitServers(leader, RETRY_OVERLOADED);
                        full = true;
                    }
                    case FAILED -> {
                        awaitServers(leader, RETRY);
                        full = true;
                    }
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** How a round ended: all pushed that could be, or servers in trouble. */
    private enum Outcome {
        DONE,
        OVERLOADED,
        FAILED
    }

    /** Waits until told or due; true when everything has to be compared. */
    private boolean await() throws InterruptedException {
        lock.lock();
        try {
            long settled = Long.MAX_VALUE;
            while (!closed) {
                long now = System.nanoTime();
                if (changed) {
                    changed = false;
                    return false;
                }
                if (catalogueMoved && settled == Long.MAX_VALUE) {
                    settled = now + settleNanos;
                }
                if (now - nextFull >= 0 || settled != Long.MAX_VALUE && now - settled >= 0) {
                    return true;
                }
                long wake = settled == Long.MAX_VALUE ? nextFull : Math.min(settled, nextFull);
                told.await(wake - now, TimeUnit.NANOSECONDS);
            }
            return false;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Waits until there is a leader that was not there before, or for as long as is decent.
     *
     * @param before the leader when the round began that failed: who came meanwhile is a new one
     */
    private void awaitServers(String before, Duration limit) throws InterruptedException {
        long until = System.nanoTime() + limit.toNanos();
        lock.lock();
        try {
            while (!closed && System.nanoTime() - until < 0) {
                String leader = servers.leader();
                if (!leader.isEmpty() && !leader.equals(before)) {
                    return;
                }
                told.await(LEADER_POLL.toNanos(), TimeUnit.NANOSECONDS);
            }
        } finally {
            lock.unlock();
        }
    }

    private Outcome syncFull() throws InterruptedException {
        boolean wasMoved = takeMoved();
        if (servers.leader().isEmpty()) {
            return Outcome.FAILED;
        }
        refused.clear();
        try {
            long begun = System.nanoTime();
            long since = entries.pushes();
            Reply serviceReply = askNow(Question.CATALOG_NODE_SERVICES);
            Reply checkReply = askNow(Question.HEALTH_NODE);
            var view = Json.read(serviceReply.body(), NodeView.class);
            List<NodeService> theirServices = view.services() == null ? List.of() : view.services();
            List<HealthCheck> theirChecks =
                    Arrays.asList(Json.read(checkReply.body(), HealthCheck[].class));
            entries.compare(view.node(), theirServices, theirChecks, since).forEach(Runnable::run);
            boolean differed = !entries.dirtyGroups().isEmpty();
            settleNanos = nextSettle(wasMoved, differed, since, System.nanoTime() - begun);
            pushesAtLastFull = since;
            nextFull = System.nanoTime() + INTERVAL.toNanos() + random.nextLong(SPREAD.toNanos());
            Outcome outcome = pushChanges();
            services.hold(serviceReply.index());
            checks.hold(checkReply.index());
            return outcome;
        } catch (ApiException e) {
            log.warn("the catalogue can't be compared with: error=\"{}\"", e.text());
            return Outcome.FAILED;
        } catch (RuntimeException e) {
            log.error("the catalogue can't be compared with in an unforeseen way", e);
            return Outcome.FAILED;
        }
    }

    /**
     * How long to wait after the catalogue has moved next time: twice as long as this time when
     * neither a push of ours nor a difference explains why we were woken, as when its index counts
     * other nodes' changes too.
     */
    private long nextSettle(boolean wasMoved, boolean differed, long pushes, long costNanos) {
        boolean futile = wasMoved && !differed && pushes == pushesAtLastFull;
        long settle = futile ? settleNanos * 2 : SETTLE.toNanos();
        long forCost = Math.min(MAX_SETTLE_FOR_COST.toNanos(), costNanos * COST_FACTOR);
        return Math.min(MAX_SETTLE.toNanos(), Math.max(settle, forCost));
    }

    private boolean takeMoved() {
        lock.lock();
        try {
            boolean moved = catalogueMoved;
            catalogueMoved = false;
            return moved;
        } finally {
            lock.unlock();
        }
    }

    private Reply askNow(String method) throws InterruptedException {
        return Ask.await(servers, Question.now(method, entries.node().node(), Map.of()));
    }

    /** What {@code Catalog.NodeServiceList} answers; nulls for an unknown node. */
    record NodeView(@Nullable Node node, @Nullable List<NodeService> services) {}

    private Outcome pushChanges() throws InterruptedException {
        List<String> groups =
                entries.dirtyGroups().stream().filter(group -> !refused.contains(group)).toList();
        if (groups.size() == 1) {
            return tryPush(groups.getFirst());
        }
        var worst = new AtomicReference<>(Outcome.DONE);
        var slots = new Semaphore(PARALLEL);
        for (String group : groups) {
            slots.acquire();
            if (worst.get() != Outcome.DONE) {
                slots.release();
                break;
            }
            Thread.ofVirtual()
                    .name("push-" + group)
                    .start(() -> {
                        Outcome outcome = tryPush(group);
                        if (outcome != Outcome.DONE) {
                            worst.set(outcome);
                        }
                        slots.release();
                    });
        }
        slots.acquire(PARALLEL);
        return worst.get();
    }

    private Outcome tryPush(String group) {
        try {
            push.push(group);
            return Outcome.DONE;
        } catch (ApiException e) {
            log.warn(
                    "the catalogue does not take a change, will try again: service=\"{}\" error=\"{}\"",
                    group,
                    e.text());
            return switch (e.kind()) {
                case OVERLOADED -> Outcome.OVERLOADED;
                case NO_LEADER, TIMEOUT, UNKNOWN, INTERNAL -> Outcome.FAILED;
                default -> {
                    refused.add(group);
                    yield Outcome.DONE;
                }
            };
        } catch (RuntimeException e) {
            log.error("a push failed in an unforeseen way: service=\"{}\"", group, e);
            refused.add(group);
            return Outcome.DONE;
        }
    }

    @Override
    public void close() throws InterruptedException {
        closed = true;
        services.close();
        checks.close();
        tell(false);
        thread.interrupt();
        thread.join();
    }

    /**
     * Notices that the catalogue's entries of this node have moved: a question that is held, asked
     * anew after each comparison only, so that nobody is woken for what is going to be looked at
     * anyway.
     */
    private static final class OwnNodeWatch implements AutoCloseable {
        private static final Duration HOLD = Duration.ofMinutes(5);

        private final String method;
        private final String node;
        private final Servers servers;
        private final Runnable moved;
        private Servers.@Nullable Held held;
        private long number;

        OwnNodeWatch(String method, String node, Servers servers, Runnable moved) {
            this.method = method;
            this.node = node;
            this.servers = servers;
            this.moved = moved;
        }

        void hold(long index) {
            long mine;
            synchronized (this) {
                drop();
                mine = ++number;
            }
            Servers.Held question =
                    servers.ask(
                            new Question(method, node, Map.of(), Consistency.DEFAULT, index, HOLD),
                            new Servers.Listener() {
                                @Override
                                public void answered(Reply reply) {
                                    if (reply.index() != index && isCurrent(mine)) {
                                        moved.run();
                                    }
                                }

                                @Override
                                public void failed(ApiException error) {
                                    // The next comparison asks again, and says what is wrong.
                                }
                            });
            synchronized (this) {
                if (number == mine) {
                    held = question;
                } else {
                    question.drop();
                }
            }
        }

        private synchronized boolean isCurrent(long question) {
            return number == question;
        }

        private void drop() {
            if (held != null) {
                held.drop();
                held = null;
            }
        }

        @Override
        public synchronized void close() {
            number++;
            drop();
        }
    }
}
