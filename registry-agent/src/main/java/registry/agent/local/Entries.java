package registry.agent.local;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import registry.agent.config.CheckDefinition;
import registry.agent.config.ServiceDefinition;
import registry.api.AgentService;
import registry.api.HealthCheck;
import registry.api.Node;
import registry.api.NodeService;

/**
 * The tables of this node's services and checks. Every method holds the one lock, for memory only;
 * whatever has to be stopped, written, pushed or told afterwards is handed back to the caller.
 *
 * <p>Ids are compared without regard to case, as the catalogue does. A <em>group</em> is what is
 * pushed together: a service with its checks, named by its id in lower case, or the node's own
 * checks, named "".
 */
final class Entries {
    /** The group of the node's own checks. */
    static final String NODE = "";

    private static final String SERVICE_CONSUL = "consul";

    private final SortedMap<String, ServiceEntry> services =
            new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    private final SortedMap<String, CheckEntry> checks =
            new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    private final Set<String> nodeChecks = new HashSet<>();
    private final Set<CheckEntry> aliases = new LinkedHashSet<>();
    private final Set<String> dirtyGroups = new LinkedHashSet<>();

    /**
     * What is to be taken out of the catalogue, by id in lower case, with the id as it was spelled
     * there.
     */
    private final Map<String, String> goneServices = new HashMap<>();

    private final Map<String, GoneCheck> goneChecks = new HashMap<>();
    private final Map<String, Set<Runnable>> watchers = new HashMap<>();
    private final SyncMark nodeSync = new SyncMark();
    private Node node;
    private long pushes;

    Entries(Node node) {
        this.node = node;
    }

    /** A check to be taken out of the catalogue, and the group that does it. */
    record GoneCheck(String id, String group) {}

    /** What a change took out of the tables and put into them. */
    record Swap(List<CheckEntry> removed, List<CheckEntry> created, List<Runnable> watchers) {}

    /** What a group lacks in the catalogue, as it was when the lock was held. */
    record Work(
            String group,
            Node node,
            boolean nodeNeeded,
            long nodeVersion,
            @Nullable ServiceEntry service,
            @Nullable NodeService serviceView,
            long serviceVersion,
            List<CheckEntry> checks,
            List<HealthCheck> checkViews,
            List<Long> checkVersions,
            String goneService,
            List<String> goneChecks) {
        boolean hasRegistration() {
            return nodeNeeded || service != null || !checks.isEmpty();
        }
    }

    static String group(String serviceId) {
        return serviceId.toLowerCase(Locale.ROOT);
    }

    // What is there

    synchronized Node node() {
        return node;
    }

    synchronized SortedMap<String, AgentService> services() {
        SortedMap<String, AgentService> all = new TreeMap<>();
        services.values().forEach(entry -> all.put(entry.view.id(), entry.view));
        return all;
    }

    /** With its content hash; null when there is none. */
    synchronized @Nullable AgentService service(String id) {
        ServiceEntry entry = services.get(id);
        return entry == null ? null : entry.hashed();
    }

    synchronized @Nullable ServiceEntry serviceEntry(String id) {
        return services.get(id);
    }

    synchronized @Nullable CheckEntry checkEntry(String id) {
        return checks.get(id);
    }

    synchronized SortedMap<String, HealthCheck> checks() {
        SortedMap<String, HealthCheck> all = new TreeMap<>();
        checks.values().forEach(entry -> all.put(entry.id(), entry.view));
        return all;
    }

    synchronized List<HealthCheck> checksOf(String serviceId) {
        List<HealthCheck> found = new ArrayList<>();
        nodeChecks.stream().sorted().forEach(id -> found.add(entry(id).view));
        ServiceEntry service = services.get(serviceId);
        if (service != null) {
            service.checkIds.forEach(id -> found.add(entry(id).view));
        }
        return found;
    }

    synchronized List<CheckEntry> allChecks() {
        return List.copyOf(checks.values());
    }

    synchronized List<ServiceEntry> allServices() {
        return List.copyOf(services.values());
    }

    synchronized List<CheckEntry> aliases() {
        return aliases.isEmpty() ? List.of() : List.copyOf(aliases);
    }

    synchronized boolean hasAliases() {
        return !aliases.isEmpty();
    }

    /**
     * The checks that an alias of a local service or of this node has to look at: all but itself.
     */
    synchronized List<HealthCheck> checksFor(CheckEntry alias) {
        List<HealthCheck> found = new ArrayList<>();
        for (HealthCheck check : checksOf(alias.definition.aliasService())) {
            if (!check.checkId().equals(alias.id())) {
                found.add(check);
            }
        }
        return found;
    }

    /**
     * Calls the watcher after each change of that service's definition, until what is answered is
     * run.
     */
    synchronized Runnable watch(String serviceId, Runnable changed) {
        String group = group(serviceId);
        Runnable own = changed::run;
        watchers.computeIfAbsent(group, _ -> new LinkedHashSet<>()).add(own);
        return () -> unwatch(group, own);
    }

    private synchronized void unwatch(String group, Runnable watcher) {
        Set<Runnable> ofGroup = watchers.get(group);
        if (ofGroup != null) {
            ofGroup.remove(watcher);
            if (ofGroup.isEmpty()) {
                watchers.remove(group);
            }
        }
    }

    private List<Runnable> watchersOf(String group) {
        return List.copyOf(watchers.getOrDefault(group, Set.of()));
    }

    // Changes of definitions

    /**
     * Adds or replaces a service with the checks of its definition.
     *
     * @param replace removes its other checks, but not its maintenance
     * @param keep a check with an unchanged definition goes on untouched, a changed one keeps its
     *     state, and listed ones that the definition no longer has go; else all are made anew
     */
    synchronized Swap putService(
            ServiceDefinition definition,
            List<CheckDefinition> listed,
            LocalState.Source source,
            boolean replace,
            boolean keep) {
        String group = group(definition.id());
        ServiceEntry old = services.remove(definition.id());
        var entry = new ServiceEntry(definition, source, node.datacenter());
        entry.sync.changed();
        services.put(definition.id(), entry);
        goneServices.remove(group);
        dirtyGroups.add(group);

        List<CheckEntry> removed = new ArrayList<>();
        List<CheckEntry> created = new ArrayList<>();
        Set<String> wanted = new HashSet<>();
        listed.forEach(check -> wanted.add(group(check.id())));
        if (old != null) {
            for (String checkId : List.copyOf(old.checkIds)) {
                CheckEntry check = entry(checkId);
                boolean unwanted = replace || keep && check.listed && check.source == source;
                if (unwanted
                        && !wanted.contains(group(checkId))
                        && !CheckIds.isMaintenance(checkId)) {
                    removed.add(take(check, true));
                } else {
                    entry.checkIds.add(checkId);
                    renameService(check, entry.view);
                }
            }
        }
        for (CheckDefinition check : listed) {
            putCheck(entry, check, source, true, keep, removed, created);
        }
        return new Swap(removed, created, watchersOf(group));
    }

    /**
     * A check shows its service's name and tags; servers derive them anew when it is pushed with
     * the service.
     */
    private static void renameService(CheckEntry check, AgentService service) {
        if (!check.view.serviceName().equals(service.service())
                || !check.view.serviceTags().equals(service.tags())) {
            check.view = Views.withService(check.view, service.service(), service.tags());
            check.sync.changed();
        }
    }

    /** Adds or replaces a check on its own; null when its service is not there. */
    synchronized @Nullable Swap putCheck(
            CheckDefinition definition, LocalState.Source source, boolean keep) {
        ServiceEntry service = null;
        if (!definition.serviceId().isEmpty()) {
            service = services.get(definition.serviceId());
            if (service == null) {
                return null;
            }
        }
        List<CheckEntry> removed = new ArrayList<>();
        List<CheckEntry> created = new ArrayList<>();
        putCheck(service, definition, source, false, keep, removed, created);
        return new Swap(removed, created, List.of());
    }

    private void putCheck(
            @Nullable ServiceEntry service,
            CheckDefinition definition,
            LocalState.Source source,
            boolean listed,
            boolean keep,
            List<CheckEntry> removed,
            List<CheckEntry> created) {
        CheckEntry old = checks.get(definition.id());
        if (keep
                && old != null
                && old.source == source
                && old.listed == listed
                && old.definition.equals(definition)) {
            return;
        }
        String initial = definition.status().isEmpty() ? HealthCheck.CRITICAL : definition.status();
        HealthCheck before = keep && old != null ? old.view : null;
        var entry =
                new CheckEntry(
                        definition,
                        source,
                        listed,
                        Views.healthCheck(
                                definition,
                                node.node(),
                                before == null ? initial : before.status(),
                                before == null ? "" : before.output(),
                                service == null ? "" : service.view.service(),
                                service == null ? List.of() : service.view.tags()));
        if (old != null) {
            if (before != null) {
                entry.hasResult = old.hasResult;
                entry.resultMillis = old.resultMillis;
                entry.isCritical = old.isCritical;
                entry.criticalSinceNanos = old.criticalSinceNanos;
            }
            entry.nextTransition = old.nextTransition;
            boolean moved =
                    !group(old.definition.serviceId()).equals(group(definition.serviceId()));
            removed.add(take(old, moved));
        }
        entry.sync.changed();
        checks.put(definition.id(), entry);
        if (service == null) {
            nodeChecks.add(definition.id());
        } else {
            service.checkIds.add(definition.id());
        }
        if (entry.isLocalAlias(node.node())) {
            aliases.add(entry);
        }
        goneChecks.remove(group(definition.id()));
        dirtyGroups.add(group(definition.serviceId()));
        created.add(entry);
    }

    /** Removes a service and its checks; null when there is none. */
    synchronized @Nullable Swap removeService(String id) {
        ServiceEntry entry = services.remove(id);
        if (entry == null) {
            return null;
        }
        List<CheckEntry> removed = new ArrayList<>();
        for (String checkId : List.copyOf(entry.checkIds)) {
            // The catalogue drops them with their service.
            removed.add(take(entry(checkId), false));
        }
        String group = group(id);
        goneServices.put(group, entry.definition.id());
        dirtyGroups.add(group);
        return new Swap(removed, List.of(), watchersOf(group));
    }

    synchronized @Nullable Swap removeCheck(String id) {
        CheckEntry entry = checks.get(id);
        return entry == null ? null : new Swap(List.of(take(entry, true)), List.of(), List.of());
    }

    /** Takes a check out of all tables; {@code gone} also out of the catalogue. */
    private CheckEntry take(CheckEntry entry, boolean gone) {
        checks.remove(entry.id());
        nodeChecks.remove(entry.id());
        aliases.remove(entry);
        entry.removed = true;
        String group = group(entry.definition.serviceId());
        ServiceEntry service = services.get(entry.definition.serviceId());
        if (service != null) {
            service.checkIds.remove(entry.id());
        }
        if (gone) {
            goneChecks.put(group(entry.id()), new GoneCheck(entry.id(), group));
            dirtyGroups.add(group);
        }
        return entry;
    }

    private CheckEntry entry(String checkId) {
        CheckEntry entry = checks.get(checkId);
        if (entry == null) {
            throw new IllegalStateException("check \"" + checkId + "\" is in one table only");
        }
        return entry;
    }

    // Towards the catalogue

    /** The node's own description has changed. */
    synchronized void replaceNode(Node changed) {
        if (!changed.equals(node)) {
            node = changed;
            nodeSync.changed();
            dirtyGroups.add(NODE);
        }
    }

    /** The check is to be pushed with its service's group. */
    synchronized void mark(CheckEntry entry) {
        if (!entry.removed) {
            entry.sync.changed();
            dirtyGroups.add(group(entry.definition.serviceId()));
        }
    }

    /** The groups with something to push; they stay so until they are. */
    synchronized List<String> dirtyGroups() {
        return dirtyGroups.isEmpty() ? List.of() : List.copyOf(dirtyGroups);
    }

    synchronized boolean isDirty(String group) {
        return dirtyGroups.contains(group);
    }

    /** All that is there was there before the process started. */
    synchronized void loaded() {
        services.values().forEach(service -> service.sync.loaded());
        checks.values().forEach(check -> check.sync.loaded());
    }

    /**
     * What has to be pushed of a group; null when nothing.
     *
     * @param withService also the service itself, in sync or not
     */
    synchronized @Nullable Work work(String group, boolean withService) {
        ServiceEntry service = services.get(group);
        ServiceEntry pushed =
                service != null && (withService || !service.sync.inSync()) ? service : null;
        List<CheckEntry> behind = new ArrayList<>();
        Iterable<String> ids =
                service != null ? service.checkIds : group.equals(NODE) ? nodeChecks : List.of();
        for (String id : ids) {
            CheckEntry check = entry(id);
            if (!check.sync.inSync()) {
                behind.add(check);
            }
        }
        List<String> gone =
                goneChecks.values().stream()
                        .filter(check -> check.group().equals(group))
                        .map(GoneCheck::id)
                        .toList();
        boolean anything = pushed != null || !behind.isEmpty();
        boolean nodeNeeded = !nodeSync.inSync() && (anything || group.equals(NODE));
        String goneService = goneServices.getOrDefault(group, "");
        if (!anything && !nodeNeeded && gone.isEmpty() && goneService.isEmpty()) {
            dirtyGroups.remove(group);
            return null;
        }
        long push = ++pushes;
        if (pushed != null) {
            pushed.sync.pushing(push);
        }
        behind.forEach(check -> check.sync.pushing(push));
        return new Work(
                group,
                node,
                nodeNeeded,
                nodeSync.version(),
                pushed,
                pushed == null ? null : Views.nodeService(pushed.view),
                pushed == null ? 0 : pushed.sync.version(),
                behind,
                behind.stream().map(check -> check.view).toList(),
                behind.stream().map(check -> check.sync.version()).toList(),
                goneService,
                gone);
    }

    /** The registration of that work has reached the catalogue. */
    synchronized void registered(Work work) {
        long push = ++pushes;
        if (work.nodeNeeded()) {
            nodeSync.pushed(work.nodeVersion(), push);
        }
        if (work.service() != null) {
            work.service().sync.pushed(work.serviceVersion(), push);
        }
        for (int i = 0; i < work.checks().size(); i++) {
            work.checks().get(i).sync.pushed(work.checkVersions().get(i), push);
        }
    }

    synchronized void serviceDeregistered(String group) {
        goneServices.remove(group);
        goneChecks.values().removeIf(check -> check.group().equals(group));
    }

    synchronized void checkDeregistered(String checkId) {
        goneChecks.remove(group(checkId));
    }

    /** Number of the last push: what servers say now includes all that ended before it. */
    synchronized long pushes() {
        return pushes;
    }

    /**
     * Compares with what servers say of this node and marks what has to be pushed. What was pushed
     * after number {@code since} is left alone: their answer may be older.
     *
     * @param theirNode null when the catalogue does not know the node
     * @return the watchers of services whose tags were overridden there
     */
    synchronized List<Runnable> compare(
            @Nullable Node theirNode,
            List<NodeService> theirServices,
            List<HealthCheck> theirChecks,
            long since) {
        compareNode(theirNode);
        List<Runnable> changed = new ArrayList<>();
        Map<String, NodeService> remote = new HashMap<>();
        theirServices.forEach(service -> remote.put(group(service.id()), service));
        for (ServiceEntry service : services.values()) {
            NodeService theirs = remote.remove(group(service.view.id()));
            if (!service.sync.isOlderThan(since)) {
                continue;
            }
            if (theirs != null
                    && service.definition.enableTagOverride()
                    && !service.sync.changedHere()
                    && theirs.tags() != null
                    && !theirs.tags().equals(service.view.tags())) {
                overrideTags(service, theirs.tags());
                changed.addAll(watchersOf(group(service.view.id())));
            }
            compare(
                    service.sync,
                    theirs != null && Views.same(service.view, theirs),
                    group(service.view.id()));
        }
        remote.remove(SERVICE_CONSUL);
        remote.forEach((group, service) -> goneServices.put(group, service.id()));
        dirtyGroups.addAll(remote.keySet());

        Map<String, HealthCheck> remoteChecks = new HashMap<>();
        theirChecks.forEach(check -> remoteChecks.put(group(check.checkId()), check));
        for (CheckEntry check : checks.values()) {
            HealthCheck theirs = remoteChecks.remove(group(check.id()));
            if (check.sync.isOlderThan(since)) {
                boolean same =
                        theirs != null && Views.same(check.view, theirs, check.deferred != null);
                compare(check.sync, same, group(check.definition.serviceId()));
            }
        }
        remoteChecks.remove(group(HealthCheck.SERF_HEALTH));
        remoteChecks.forEach((id, check) -> {
            String group = group(check.serviceId());
            if (!remote.containsKey(group)) {
                goneChecks.put(id, new GoneCheck(check.checkId(), group));
                dirtyGroups.add(group);
            }
        });
        return changed;
    }

    private void compareNode(@Nullable Node theirs) {
        boolean same =
                theirs != null
                        && theirs.id().equals(node.id())
                        && theirs.address().equals(node.address())
                        && Views.sameMap(theirs.taggedAddresses(), node.taggedAddresses())
                        && Views.sameMap(theirs.meta(), node.meta());
        compare(nodeSync, same, NODE);
    }

    private void compare(SyncMark sync, boolean same, String group) {
        if (same) {
            sync.seenEqual();
        } else {
            sync.seenDifferent();
            dirtyGroups.add(group);
        }
    }

    private void overrideTags(ServiceEntry service, List<String> tags) {
        service.view = Views.withTags(service.view, List.copyOf(tags));
        service.hashed = null;
        for (String id : service.checkIds) {
            CheckEntry check = entry(id);
            check.view = Views.withService(check.view, service.view.service(), service.view.tags());
        }
    }
}
