package registry.agent.local;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import registry.agent.check.CheckResult;
import registry.agent.check.CheckScheduler;
import registry.agent.check.Timers;
import registry.agent.check.TtlCheck;
import registry.agent.config.AgentConfig.Definitions;
import registry.agent.config.CheckDefinition;
import registry.agent.config.ServiceDefinition;
import registry.api.AgentService;
import registry.api.ApiException;
import registry.api.HealthCheck;
import registry.api.Node;
import registry.server.rpc.Servers;

/**
 * The services and checks that this node owns, with their results; kept in RocksDB. Safe for any
 * thread: the tables are {@link Entries}, whose lock is held for memory only; what a change writes
 * and pushes happens in its service's turn ({@link Turns}).
 */
public final class LocalState implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(LocalState.class);

    private static final String NODE_MAINTENANCE_REASON =
            "Maintenance mode is enabled for this node, but no reason was provided. This is a default message.";
    private static final String SERVICE_MAINTENANCE_REASON =
            "Maintenance mode is enabled for this service, but no reason was provided. This is a default message.";

    /**
     * How often critical services are looked at that are to go after a while, and the shortest
     * while.
     */
    private static final Duration REAP_INTERVAL = Duration.ofSeconds(30);

    private static final Duration MIN_REAP_AFTER = Duration.ofMinutes(1);

    private static final Duration STOP_LIMIT = Duration.ofSeconds(2);

    private static final Duration FORGET_INTERVAL = Duration.ofHours(1);

    /**
     * Where a definition came from: a file's wins over the API's of the same id, and is forgotten
     * when the file forgets it.
     */
    public enum Source {
        FILE,
        API
    }

    private final LocalConfig config;
    private final LocalStore store;
    private final Servers servers;
    private final Timers timers;
    private final Entries entries;
    private final Turns turns = new Turns();
    private final CheckScheduler scheduler;
    private final CatalogPush push;
    private final AntiEntropy antiEntropy;
    private final CheckResults results;

    /** Open when everything that was there before is there again: who comes earlier waits. */
    private final CountDownLatch loaded = new CountDownLatch(1);

    private volatile boolean closed;

    /**
     * @param store outlives this; so do {@code servers} and {@code timers}
     */
    public LocalState(
            LocalConfig config,
            LocalStore store,
            Servers servers,
            Timers timers,
            RandomGenerator random) {
        this.config = config;
        this.store = store;
        this.servers = servers;
        this.timers = timers;
        this.entries = new Entries(config.node());
        this.scheduler = new CheckScheduler(timers, servers, random, config.checkOutputMaxSize());
        this.push = new CatalogPush(entries, turns, servers);
        this.antiEntropy = new AntiEntropy(entries, push, servers, random);
        this.results =
                new CheckResults(
                        config, entries, store, scheduler, antiEntropy::trigger, timers, random);
    }

    /**
     * {@link #load Loads}, then keeps the catalogue equal to what is here. Called once.
     *
     * @throws ApiException REFUSED when a definition of a file is not possible here
     */
    public void start(Definitions files) {
        load(files);
        timers.after(REAP_INTERVAL, this::reapLater);
        timers.after(FORGET_INTERVAL, this::forgetLater);
        antiEntropy.start();
    }

    /**
     * Takes up what files define and what the API registered before the last stop, with the results
     * they had, and starts the checks. All other methods wait for it.
     *
     * @throws ApiException REFUSED when a definition of a file is not possible here
     */
    public void load(Definitions files) {
        admit(files);
        LocalStore.Stored stored = store.load();
        try (LocalStore.Changes changes = store.changes()) {
            List<CheckEntry> created = new ArrayList<>();
            files.services().forEach(service -> created.addAll(put(service, Source.FILE)));
            for (ServiceDefinition service : stored.services()) {
                if (entries.serviceEntry(service.id()) == null) {
                    created.addAll(put(service, Source.API));
                } else {
                    changes.deleteService(service.id());
                }
            }
            for (CheckDefinition check : files.checks()) {
                created.addAll(putOrRefuse(CheckIds.named(check), Source.FILE));
            }
            for (CheckDefinition check : stored.checks()) {
                boolean fromFile = entries.checkEntry(check.id()) != null;
                Entries.Swap swap = fromFile ? null : entries.putCheck(check, Source.API, false);
                if (swap == null) {
                    changes.deleteCheck(check.id());
                } else {
                    created.addAll(swap.created());
                }
            }
            Set<String> left = new HashSet<>(stored.results().keySet());
            for (CheckEntry check : created) {
                left.remove(Entries.group(check.id()));
                changes.checkCame(check.id());
                restore(check, stored.results().get(Entries.group(check.id())));
            }
            left.forEach(id -> changes.checkWent(id, timers.now()));
            changes.write();
            created.forEach(this::begin);
        }
        entries.loaded();
        loaded.countDown();
        results.followAliases();
    }

    private List<CheckEntry> put(ServiceDefinition service, Source source) {
        // The API's checks have rows of their own, and ids already.
        List<CheckDefinition> checks =
                source == Source.API ? List.of() : CheckIds.ofService(service);
        return entries.putService(service, checks, source, false, false).created();
    }

    private List<CheckEntry> putOrRefuse(CheckDefinition check, Source source) {
        Entries.Swap swap = entries.putCheck(check, source, false);
        if (swap == null) {
            throw ApiException.refused(
                    "Failed to register check '"
                            + check.name()
                            + "': ServiceID \""
                            + check.serviceId()
                            + "\" does not exist");
        }
        return swap.created();
    }

    /** A check goes on where it was, except one that had to be heard of meanwhile and was not. */
    private void restore(CheckEntry check, LocalStore.@Nullable Result before) {
        if (before == null || CheckIds.isMaintenance(check.id())) {
            return;
        }
        check.hasResult = true;
        check.resultMillis = before.timeMillis();
        check.storedResultMillis = before.timeMillis();
        check.storedDeadlineMillis = before.deadlineMillis();
        check.view = Views.withResult(check.view, before.status(), before.output());
        Duration ttl = check.definition.ttl();
        if (check.isTtl() && ttl != null) {
            long mayBeLater = before.deadlineMillis() + CheckResults.deadlineSlack(ttl);
            if (timers.now().toEpochMilli() >= mayBeLater
                    && !before.status().equals(HealthCheck.CRITICAL)) {
                CheckResult silent = TtlCheck.silent(before.output());
                check.view = Views.withResult(check.view, silent.status(), silent.output());
            }
        }
        if (check.view.status().equals(HealthCheck.CRITICAL)) {
            check.isCritical = true;
            check.criticalSinceNanos = timers.nanos();
        }
    }

    /**
     * Takes up what files define now; what they define as before is not touched, and goes on with
     * its state. Nothing changes when it throws.
     *
     * @throws ApiException REFUSED when a definition is not possible here
     */
    public void reload(Definitions files) {
        awaitLoaded();
        admit(files);
        requireServices(files);
        Set<String> services = new TreeSet<>(String.CASE_INSENSITIVE_ORDER);
        files.services().forEach(service -> services.add(service.id()));
        for (ServiceEntry entry : entries.allServices()) {
            if (entry.source == Source.FILE && !services.contains(entry.definition.id())) {
                remove(entry.definition.id());
            }
        }
        for (ServiceDefinition service : files.services()) {
            ServiceEntry entry = entries.serviceEntry(service.id());
            if (entry == null || entry.source != Source.FILE || !entry.definition.equals(service)) {
                try (var turn = turns.take(Entries.group(service.id()))) {
                    change(
                            entries.putService(
                                    service, CheckIds.ofService(service), Source.FILE, false, true),
                            changes -> changes.deleteService(service.id()));
                }
            }
        }
        reloadChecks(files.checks().stream().map(CheckIds::named).toList());
        antiEntropy.trigger();
    }

    private void reloadChecks(List<CheckDefinition> checks) {
        Set<String> ids = new TreeSet<>(String.CASE_INSENSITIVE_ORDER);
        checks.forEach(check -> ids.add(check.id()));
        for (CheckEntry entry : entries.allChecks()) {
            if (entry.source == Source.FILE && !entry.listed && !ids.contains(entry.id())) {
                changeOrSkip(entries.removeCheck(entry.id()));
            }
        }
        for (CheckDefinition check : checks) {
            try (var turn = turns.take(Entries.group(check.serviceId()))) {
                changeOrSkip(entries.putCheck(check, Source.FILE, true));
            }
        }
    }

    /** The node is described otherwise from now on: meta, tagged addresses. */
    public void updateNode(Node node) {
        entries.replaceNode(node);
        antiEntropy.trigger();
    }

    /** From the next result on; what was said before stays. */
    public void discardCheckOutput(boolean discard) {
        results.discardOutput(discard);
    }

    /** All services by id. */
    public SortedMap<String, AgentService> services() {
        awaitLoaded();
        return entries.services();
    }

    /** One service, with its content hash. */
    public Optional<AgentService> service(String id) {
        awaitLoaded();
        return Optional.ofNullable(entries.service(id));
    }

    /**
     * Calls back after each change of the definition of that service, or its coming or going, on
     * the thread that made the change: it must not block.
     *
     * @return ends the watch
     */
    public Runnable watchService(String id, Runnable changed) {
        return entries.watch(id, changed);
    }

    /** All checks by id, as the catalogue shows them; indexes 0. */
    public SortedMap<String, HealthCheck> checks() {
        awaitLoaded();
        return entries.checks();
    }

    /** Checks that count for a service: node-level ones first, then its own. */
    public List<HealthCheck> checksOf(String serviceId) {
        awaitLoaded();
        return entries.checksOf(serviceId);
    }

    /**
     * Adds or replaces a service with its checks, durably, then pushes it to the catalogue before
     * it returns (a failed push is only logged: anti-entropy repeats it).
     *
     * @param replaceExistingChecks removes checks of the service that the definition does not list
     * @throws ApiException REFUSED when it has a script check that is not allowed from this source
     */
    public void addService(
            ServiceDefinition definition, Source source, boolean replaceExistingChecks) {
        awaitLoaded();
        List<CheckDefinition> checks = CheckIds.ofService(definition);
        Addresses.validate(definition);
        checks.forEach(check -> admit(check, source));
        String group = Entries.group(definition.id());
        try (var turn = turns.take(group)) {
            long mark =
                    change(
                            entries.putService(
                                    definition, checks, source, replaceExistingChecks, false),
                            changes -> {
                                if (source == Source.API) {
                                    changes.putService(withoutChecks(definition));
                                } else {
                                    changes.deleteService(definition.id());
                                }
                            });
            pushNow(group);
            store.syncTo(mark);
        }
    }

    /** Removes a service and its checks; false when there is none. */
    public boolean removeService(String id) {
        awaitLoaded();
        String group = Entries.group(id);
        try (var turn = turns.take(group)) {
            long mark = remove(id);
            if (mark < 0) {
                return false;
            }
            pushNow(group);
            store.syncTo(mark);
            return true;
        }
    }

    private long remove(String id) {
        try (var turn = turns.take(Entries.group(id))) {
            Entries.Swap swap = entries.removeService(id);
            return swap == null ? -1 : change(swap, changes -> changes.deleteService(id));
        }
    }

    /**
     * @throws ApiException REFUSED {@code ServiceID "x" does not exist}, or a script check that is
     *     not allowed
     */
    public void addCheck(CheckDefinition definition, Source source) {
        awaitLoaded();
        CheckDefinition check = CheckIds.named(definition);
        admit(check, source);
        String group = Entries.group(check.serviceId());
        try (var turn = turns.take(group)) {
            Entries.Swap swap = entries.putCheck(check, source, false);
            if (swap == null) {
                throw ApiException.refused(
                        "ServiceID \"" + check.serviceId() + "\" does not exist");
            }
            long mark = change(swap, changes -> {});
            pushNow(group);
            store.syncTo(mark);
        }
    }

    /** Removes a check; false when there is none. */
    public boolean removeCheck(String checkId) {
        awaitLoaded();
        CheckEntry entry = entries.checkEntry(checkId);
        if (entry == null) {
            return false;
        }
        String group = Entries.group(entry.definition.serviceId());
        try (var turn = turns.take(group)) {
            Entries.Swap swap = entries.removeCheck(checkId);
            if (swap == null) {
                return false;
            }
            long mark = change(swap, changes -> {});
            pushNow(group);
            store.syncTo(mark);
            return true;
        }
    }

    /**
     * Reports a TTL check. Output beyond the check's limit is cut. A new state is in the catalogue
     * when this returns, unless no server leads.
     *
     * @param status passing, warning or critical
     * @throws ApiException REFUSED {@code CheckID "x" does not have associated TTL}
     */
    public void updateTtl(String checkId, String status, String output) {
        awaitLoaded();
        CheckEntry entry = entries.checkEntry(checkId);
        if (entry == null || !entry.isTtl()) {
            throw ApiException.refused("CheckID \"" + checkId + "\" does not have associated TTL");
        }
        results.heard(entry, new CheckResult(status, output));
        String group = Entries.group(entry.definition.serviceId());
        if (entries.isDirty(group) && !servers.leader().isEmpty()) {
            pushNow(group);
        }
    }

    /**
     * Reports a TTL check that has nothing new to say, in memory alone: never blocks. False when it
     * has, or when there is no such check; then nothing is done, and {@link #updateTtl} is to be
     * called.
     */
    public boolean repeatTtl(String checkId, String status, String output) {
        CheckEntry entry = entries.checkEntry(checkId);
        return entry != null
                && entry.isTtl()
                && results.heardAgain(entry, new CheckResult(status, output));
    }

    /**
     * Puts the node into maintenance, or back; an empty reason is Consul's default text. Twice
     * keeps the first reason.
     */
    public void nodeMaintenance(boolean enable, String reason) {
        awaitLoaded();
        maintain(
                CheckIds.maintenance(
                        HealthCheck.NODE_MAINTENANCE,
                        "Node Maintenance Mode",
                        reason.isEmpty() ? NODE_MAINTENANCE_REASON : reason,
                        ""),
                enable);
    }

    /**
     * Like {@link #nodeMaintenance} for one service.
     *
     * @throws ApiException NOT_FOUND {@code No service registered with ID "x"}
     */
    public void serviceMaintenance(String serviceId, boolean enable, String reason) {
        awaitLoaded();
        ServiceEntry service = entries.serviceEntry(serviceId);
        if (service == null) {
            throw ApiException.notFound("No service registered with ID \"" + serviceId + "\"");
        }
        String id = service.definition.id();
        maintain(
                CheckIds.maintenance(
                        HealthCheck.SERVICE_MAINTENANCE_PREFIX + id,
                        "Service Maintenance Mode",
                        reason.isEmpty() ? SERVICE_MAINTENANCE_REASON : reason,
                        id),
                enable);
    }

    private void maintain(CheckDefinition maintenance, boolean enable) {
        boolean enabled = entries.checkEntry(maintenance.id()) != null;
        if (enable && !enabled) {
            addCheck(maintenance, Source.API);
        } else if (!enable && enabled) {
            removeCheck(maintenance.id());
        }
    }

    /**
     * Nobody may see or change half of what is being loaded: a registration would be taken for a
     * file's.
     */
    private void awaitLoaded() {
        try {
            loaded.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (closed) {
            throw new ApiException(ApiException.Kind.INTERNAL, "the agent is stopping");
        }
    }

    // What may be defined at all

    private void admit(Definitions files) {
        for (ServiceDefinition service : files.services()) {
            try {
                Addresses.validate(service);
                CheckIds.ofService(service).forEach(check -> admit(check, Source.FILE));
            } catch (ApiException e) {
                throw ApiException.refused(
                        "Failed to register service '" + service.id() + "': " + e.text());
            }
        }
        files.checks().forEach(check -> admit(check, Source.FILE));
    }

    private void admit(CheckDefinition check, Source source) {
        if (!check.isScript()) {
            return;
        }
        if (source == Source.API
                && !config.scriptsFromApi()
                && !CheckIds.isMaintenance(check.id())) {
            throw ApiException.refused(
                    "Scripts are disabled on this agent from remote calls; to enable, configure 'enable_script_checks' to true");
        }
        if (source == Source.FILE && !config.scriptsFromFiles()) {
            throw ApiException.refused(
                    "Scripts are disabled on this agent; to enable, configure 'enable_script_checks' or 'enable_local_script_checks' to true");
        }
    }

    /** A check on its own may belong to a service of a file, or to one that the API registered. */
    private void requireServices(Definitions files) {
        Set<String> known = new TreeSet<>(String.CASE_INSENSITIVE_ORDER);
        files.services().forEach(service -> known.add(service.id()));
        for (ServiceEntry entry : entries.allServices()) {
            if (entry.source == Source.API) {
                known.add(entry.definition.id());
            }
        }
        for (CheckDefinition check : files.checks()) {
            if (!check.serviceId().isEmpty() && !known.contains(check.serviceId())) {
                throw ApiException.refused(
                        "Failed to register check '"
                                + check.name()
                                + "': ServiceID \""
                                + check.serviceId()
                                + "\" does not exist");
            }
        }
    }

    // What follows a change of definitions

    private interface Writing {
        void into(LocalStore.Changes changes);
    }

    private void changeOrSkip(Entries.@Nullable Swap swap) {
        if (swap != null) {
            change(swap, changes -> {});
        }
    }

    /**
     * Stops what went, writes it all down, starts what came; answers the mark of what was written.
     */
    private long change(Entries.Swap swap, Writing more) {
        swap.removed().forEach(this::stop);
        Map<String, CheckEntry> replaced = new HashMap<>();
        swap.removed().forEach(check -> replaced.put(Entries.group(check.id()), check));
        long mark;
        try (LocalStore.Changes changes = store.changes()) {
            more.into(changes);
            for (CheckEntry check : swap.created()) {
                writeCreated(changes, check, replaced.remove(Entries.group(check.id())));
            }
            for (CheckEntry check : replaced.values()) {
                changes.deleteCheck(check.id());
                changes.checkWent(check.id(), timers.now());
                if (CheckIds.isMaintenance(check.id())) {
                    results.append(
                            changes,
                            check,
                            check.view.status(),
                            HealthCheck.PASSING,
                            "Maintenance mode is disabled");
                }
            }
            mark = changes.write();
        }
        swap.created().forEach(this::begin);
        swap.watchers().forEach(Runnable::run);
        results.followAliases();
        return mark;
    }

    private void writeCreated(
            LocalStore.Changes changes, CheckEntry check, @Nullable CheckEntry before) {
        if (check.source == Source.API) {
            changes.putCheck(check.definition);
        } else {
            changes.deleteCheck(check.id());
        }
        if (before == null) {
            changes.checkCame(check.id());
        }
        if (!check.hasResult) {
            // Also one that a report wrote while an earlier check of this id was removed.
            changes.deleteResult(check.id());
        }
        if (CheckIds.isMaintenance(check.id())) {
            results.append(changes, check, "", check.view.status(), check.view.notes());
        } else if (before != null
                && before.hasResult
                && !before.view.status().equals(check.view.status())) {
            results.append(
                    changes, check, before.view.status(), check.view.status(), "Registered anew");
        }
    }

    /** Starts looking after a check that is in the tables. */
    private void begin(CheckEntry check) {
        if (CheckIds.isMaintenance(check.id())) {
            return;
        }
        CheckScheduler.Job job;
        Duration ttl = check.definition.ttl();
        if (check.isTtl() && ttl != null) {
            var silence =
                    new TtlCheck(
                            ttl,
                            timers,
                            () -> Thread.ofVirtual().start(() -> results.expire(check)));
            silence.heard();
            check.ttl = silence;
            job = silence;
        } else if (check.isLocalAlias(config.node().node())) {
            return;
        } else if (check.definition.type().equals("alias")) {
            job = scheduler.follow(check.definition, result -> results.report(check, result));
        } else {
            job = scheduler.start(check.definition, result -> results.report(check, result));
        }
        boolean tooLate;
        synchronized (entries) {
            check.job = job;
            tooLate = check.removed || closed;
        }
        if (tooLate) {
            job.stop();
        }
    }

    private void stop(CheckEntry check) {
        CheckScheduler.Job job;
        synchronized (entries) {
            job = check.job;
            if (check.deferred != null) {
                check.deferred.cancel();
            }
        }
        if (job != null) {
            job.stop();
        }
    }

    private void pushNow(String group) {
        try {
            push.push(group);
        } catch (ApiException e) {
            log.warn(
                    "the catalogue does not take a change, will try again: service=\"{}\" error=\"{}\"",
                    group,
                    e.text());
        }
        if (entries.isDirty(group)) {
            antiEntropy.trigger();
        }
    }

    // Housekeeping

    private void reapLater() {
        Thread.ofVirtual().name("reaper").start(this::reap);
        timers.after(REAP_INTERVAL, this::reapLater);
    }

    private void reap() {
        for (CheckEntry check : entries.allChecks()) {
            Duration after = check.definition.deregisterCriticalServiceAfter();
            if (after == null || !after.isPositive() || check.definition.serviceId().isEmpty()) {
                continue;
            }
            Duration limit = after.compareTo(MIN_REAP_AFTER) < 0 ? MIN_REAP_AFTER : after;
            boolean due;
            synchronized (entries) {
                due =
                        check.isCritical
                                && timers.nanos() - check.criticalSinceNanos > limit.toNanos();
            }
            if (due && removeService(check.definition.serviceId())) {
                log.info(
                        "deregistered service with critical health: service={} check={} after={}",
                        check.definition.serviceId(),
                        check.id(),
                        limit);
            }
        }
    }

    private void forgetLater() {
        Thread.ofVirtual().name("history").start(() -> store.forgetOld(timers.now()));
        timers.after(FORGET_INTERVAL, this::forgetLater);
    }

    /** Tells the catalogue nothing any more: this node is about to be removed from it. */
    public void fallSilent() throws InterruptedException {
        antiEntropy.close();
    }

    /** Ends checks and anti-entropy; the catalogue keeps what it has. */
    @Override
    public void close() throws InterruptedException {
        closed = true;
        loaded.countDown();
        Collection<CheckEntry> all = entries.allChecks();
        all.forEach(this::stop);
        antiEntropy.close();
        scheduler.awaitStopped(STOP_LIMIT);
        results.close();
    }

    private static ServiceDefinition withoutChecks(ServiceDefinition s) {
        return new ServiceDefinition(
                s.id(),
                s.name(),
                s.tags(),
                s.address(),
                s.port(),
                s.meta(),
                s.taggedAddresses(),
                s.weights(),
                s.enableTagOverride(),
                s.kind(),
                s.token(),
                List.of());
    }
}
