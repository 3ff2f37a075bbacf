package registry.server.leader;

import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import registry.api.ApiException;
import registry.api.CatalogDeregistration;
import registry.api.CatalogRegistration;
import registry.api.HealthCheck;
import registry.api.HealthCheckDefinition;
import registry.api.Node;
import registry.api.NodeService;
import registry.api.Weights;
import registry.server.catalog.CatalogEndpoint;
import registry.server.catalog.CatalogTable;
import registry.server.catalog.Instance;
import registry.server.state.Keys;
import registry.server.state.Row;
import registry.server.state.State;
import registry.server.state.StateStore;

/**
 * Keeps the catalogue in step with gossip: members that live have a node with a passing serfHealth,
 * and servers a service {@code consul}; members that failed have a critical one; members that left
 * have none. All members are compared at every run, and nothing is proposed that is there already.
 *
 * <p>A node's addresses and metadata belong to its agent's own registration: they are passed on,
 * never replaced.
 */
public final class Reconciler implements LeaderLoop.Duty {
    private static final Logger log = LoggerFactory.getLogger(Reconciler.class);
    private static final Duration INTERVAL = Duration.ofSeconds(60);

    /**
     * How long a node unknown to gossip may still come back before it counts as failed: a new
     * leader knows few at first.
     */
    private static final Duration GRACE = Duration.ofSeconds(60);

    /** Consul's reconnect_timeout: then it is gone for good. */
    private static final Duration RECONNECT = Duration.ofHours(72);

    private static final String CONSUL = "consul";
    private static final String ALIVE_OUTPUT = "Agent alive and reachable";
    private static final String FAILED_OUTPUT = "Agent not live or unreachable";
    private static final String SERF_NAME = "Serf Health Status";
    private static final Map<String, String> SERVER_META =
            Map.of(
                    "non_voter", "false",
                    "raft_version", "3",
                    "read_replica", "false",
                    "serf_protocol_current", "2",
                    "serf_protocol_max", "5",
                    "serf_protocol_min", "1",
                    "version", "1.9.8");

    private final StateStore store;
    private final CatalogEndpoint catalog;
    private final Members members;
    private final String self;
    private final LongSupplier nanoTime;
    private final Map<String, Long> unknownSince = new HashMap<>();
    private long lastTerm;

    /**
     * @param self name of this server's node, which is never deregistered by itself
     */
    public Reconciler(
            StateStore store,
            CatalogEndpoint catalog,
            Members members,
            String self,
            LongSupplier nanoTime) {
        this.store = store;
        this.catalog = catalog;
        this.members = members;
        this.self = Keys.fold(self);
        this.nanoTime = nanoTime;
    }

    @Override
    public void run(long term) {
        if (term != lastTerm) {
            unknownSince.clear();
            lastTerm = term;
        }
        List<Members.Peer> all = members.all();
        Set<String> known = new HashSet<>();
        for (Members.Peer member : all) {
            known.add(Keys.fold(member.name()));
            tell(member.name(), () -> reconcile(member));
        }
        reconcileUnknown(known);
    }

    /** One member that cannot be reconciled, for a clash of names say, must not hide the others. */
    private static void tell(String name, Runnable work) {
        try {
            work.run();
        } catch (ApiException e) {
            if (e.kind() != ApiException.Kind.REFUSED) {
                throw e;
            }
            log.warn("member not reconciled: name={} error={}", name, e.text());
        }
    }

    private void reconcile(Members.Peer member) {
        switch (member.state()) {
            case ALIVE -> alive(member);
            case FAILED -> failed(member.name());
            case LEFT -> {
                if (!Keys.fold(member.name()).equals(self)) {
                    deregister(member.name(), "left");
                }
            }
            case LEAVING -> {}
        }
    }

    private void alive(Members.Peer member) {
        State state = store.current();
        Row<Node> row = CatalogTable.node(state, member.name());
        Node node = row == null ? null : row.value();
        boolean sameNode =
                node != null
                        && node.address().equals(member.address())
                        && node.id().equals(Keys.fold(member.id()));
        NodeService service = member.server() ? consul(member) : null;
        if (sameNode
                && (service == null || carries(state, member.name(), service))
                && HealthCheck.PASSING.equals(serfHealth(state, member.name()))) {
            return;
        }
        log.info("member joined, marking health alive: name={}", member.name());
        catalog.register(
                new CatalogRegistration(
                        "",
                        member.id(),
                        member.name(),
                        member.address(),
                        node == null ? null : node.taggedAddresses(),
                        node == null ? null : node.meta(),
                        service,
                        List.of(serfHealth(member.name(), HealthCheck.PASSING, ALIVE_OUTPUT)),
                        sameNode));
    }

    private void failed(String name) {
        State state = store.current();
        Row<Node> row = CatalogTable.node(state, name);
        if (row == null || HealthCheck.CRITICAL.equals(serfHealth(state, name))) {
            return;
        }
        log.info("member failed, marking health critical: name={}", name);
        Node node = row.value();
        catalog.register(
                new CatalogRegistration(
                        node.datacenter(),
                        node.id(),
                        node.node(),
                        node.address(),
                        null,
                        null,
                        null,
                        List.of(serfHealth(node.node(), HealthCheck.CRITICAL, FAILED_OUTPUT)),
                        true));
    }

    private void deregister(String name, String why) {
        if (CatalogTable.node(store.current(), name) != null) {
            log.info("deregistering member: name={} reason={}", name, why);
            catalog.deregister(new CatalogDeregistration("", name, "", ""));
        }
    }

    /** Nodes with a serfHealth were members once. */
    private void reconcileUnknown(Set<String> known) {
        State state = store.current();
        Set<String> unknown = new HashSet<>();
        for (Row<HealthCheck> check : state.table(CatalogTable.CHECKS).rows().values()) {
            String node = Keys.fold(check.value().node());
            if (check.value().checkId().equals(HealthCheck.SERF_HEALTH) && !known.contains(node)) {
                unknown.add(node);
            }
        }
        unknownSince.keySet().retainAll(unknown);
        for (String node : unknown) {
            long since = unknownSince.computeIfAbsent(node, first -> nanoTime.getAsLong());
            Duration gone = Duration.ofNanos(nanoTime.getAsLong() - since);
            if (gone.compareTo(RECONNECT) >= 0 && !node.equals(self)) {
                tell(node, () -> deregister(node, "reaped"));
            } else if (gone.compareTo(GRACE) >= 0) {
                tell(node, () -> failed(node));
            }
        }
    }

    private static NodeService consul(Members.Peer member) {
        SortedMap<String, String> meta = new TreeMap<>(SERVER_META);
        return new NodeService(
                "",
                CONSUL,
                CONSUL,
                List.of(),
                "",
                null,
                meta,
                member.rpcPort(),
                new Weights(1, 1),
                false,
                0,
                0);
    }

    private static boolean carries(State state, String node, NodeService wanted) {
        for (Instance instance : CatalogTable.instancesOn(state, node)) {
            NodeService service = instance.service();
            if (instance.id().equals(CONSUL)) {
                return service.port() == wanted.port()
                        && wanted.meta() != null
                        && wanted.meta().equals(service.meta());
            }
        }
        return false;
    }

    private static @Nullable String serfHealth(State state, String node) {
        for (Row<HealthCheck> check : CatalogTable.checksOn(state, node)) {
            if (check.value().checkId().equals(HealthCheck.SERF_HEALTH)) {
                return check.value().status();
            }
        }
        return null;
    }

    private static HealthCheck serfHealth(String node, String status, String output) {
        return new HealthCheck(
                node,
                HealthCheck.SERF_HEALTH,
                SERF_NAME,
                status,
                "",
                output,
                "",
                "",
                List.of(),
                "",
                HealthCheckDefinition.NONE,
                0,
                0);
    }

    @Override
    public Duration interval() {
        return INTERVAL;
    }

    @Override
    public String toString() {
        return "members";
    }
}
