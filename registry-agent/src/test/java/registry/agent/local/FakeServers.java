package registry.agent.local;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;
import registry.api.ApiException;
import registry.api.CatalogDeregistration;
import registry.api.CatalogRegistration;
import registry.api.HealthCheck;
import registry.api.Node;
import registry.api.NodeService;
import registry.api.json.Json;
import registry.server.rpc.Method;
import registry.server.rpc.Question;
import registry.server.rpc.Reply;
import registry.server.rpc.Servers;

/** A catalogue in memory that answers as servers do, and can be taken down. */
public final class FakeServers implements Servers {
    private static final class Row {
        Node node;
        final SortedMap<String, NodeService> services =
                new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
        final SortedMap<String, HealthCheck> checks = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    }

    private record Waiting(Question question, Listener listener) {}

    private final SortedMap<String, Row> nodes = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    private final List<Waiting> waiting = new ArrayList<>();
    private final List<Object> calls = new ArrayList<>();
    private boolean up = true;
    private boolean upWhenLookedAt;
    private String refusing = "";
    private long index = 1;

    @Override
    public <Q, A> A call(Method<Q, A> method, Q request) {
        List<Waiting> woken;
        synchronized (this) {
            if (!up) {
                throw ApiException.noLeader();
            }
            calls.add(request);
            switch (request) {
                case CatalogRegistration registration -> register(registration);
                case CatalogDeregistration deregistration -> deregister(deregistration);
                default -> throw new IllegalArgumentException(method.name());
            }
            index++;
            woken = List.copyOf(waiting);
            waiting.clear();
        }
        woken.forEach(one -> one.listener.answered(answer(one.question)));
        return method.answer().cast(true);
    }

    private void register(CatalogRegistration r) {
        if (r.service() != null && r.service().id().equals(refusing)) {
            throw ApiException.refused("Invalid service address");
        }
        Row row = nodes.computeIfAbsent(r.node(), _ -> new Row());
        if (row.node == null || !r.skipNodeUpdate()) {
            row.node =
                    new Node(
                            r.id(),
                            r.node(),
                            r.address(),
                            r.datacenter(),
                            r.taggedAddresses(),
                            r.nodeMeta(),
                            1,
                            1);
        }
        if (r.service() != null) {
            row.services.remove(r.service().id());
            row.services.put(r.service().id(), r.service());
        }
        for (HealthCheck check : r.checks()) {
            if (!check.serviceId().isEmpty() && !row.services.containsKey(check.serviceId())) {
                throw ApiException.refused(
                        "failed inserting check: Missing service registration on node \""
                                + r.node()
                                + "\"");
            }
            row.checks.remove(check.checkId());
            row.checks.put(check.checkId(), check);
        }
    }

    private void deregister(CatalogDeregistration d) {
        Row row = nodes.get(d.node());
        if (row == null) {
            return;
        }
        if (!d.serviceId().isEmpty()) {
            row.services.remove(d.serviceId());
            row.checks
                    .values()
                    .removeIf(check -> check.serviceId().equalsIgnoreCase(d.serviceId()));
        } else if (!d.checkId().isEmpty()) {
            row.checks.remove(d.checkId());
        } else {
            nodes.remove(d.node());
        }
    }

    @Override
    public Held ask(Question question, Listener listener) {
        synchronized (this) {
            if (up && question.minIndex() >= index) {
                var held = new Waiting(question, listener);
                waiting.add(held);
                return () -> drop(held);
            }
        }
        if (leader().isEmpty()) {
            listener.failed(ApiException.noLeader());
        } else {
            listener.answered(answer(question));
        }
        return () -> {};
    }

    private synchronized void drop(Waiting held) {
        waiting.remove(held);
    }

    private record NodeView(Node node, List<NodeService> services) {}

    private synchronized Reply answer(Question question) {
        Row row = nodes.get(question.name());
        Object body =
                switch (question.method()) {
                    case Question.CATALOG_NODE_SERVICES ->
                            row == null
                                    ? new NodeView(null, null)
                                    : new NodeView(row.node, List.copyOf(row.services.values()));
                    case Question.HEALTH_NODE ->
                            row == null ? List.of() : List.copyOf(row.checks.values());
                    default -> throw new IllegalArgumentException(question.method());
                };
        return new Reply(true, index, true, 0, Json.write(body));
    }

    @Override
    public synchronized String leader() {
        boolean leads = up;
        up |= upWhenLookedAt;
        return leads ? "127.0.0.1:8300" : "";
    }

    @Override
    public List<String> peers() {
        return List.of("127.0.0.1:8300");
    }

    synchronized void down() {
        up = false;
    }

    synchronized void up() {
        up = true;
    }

    /** There is no leader, and there is one as soon as somebody has seen so. */
    synchronized void downUntilLookedAt() {
        up = false;
        upWhenLookedAt = true;
    }

    /** Registrations of that service are refused from now on. */
    synchronized void refuse(String serviceId) {
        refusing = serviceId;
    }

    synchronized Node node(String name) {
        Row row = nodes.get(name);
        return row == null ? null : row.node;
    }

    synchronized Map<String, NodeService> services(String node) {
        Row row = nodes.get(node);
        return row == null ? Map.of() : new TreeMap<>(row.services);
    }

    synchronized Map<String, HealthCheck> checks(String node) {
        Row row = nodes.get(node);
        return row == null ? Map.of() : new TreeMap<>(row.checks);
    }

    String status(String node, String checkId) {
        HealthCheck check = checks(node).get(checkId);
        return check == null ? "" : check.status();
    }

    synchronized List<CatalogRegistration> registrations() {
        return calls.stream()
                .filter(CatalogRegistration.class::isInstance)
                .map(CatalogRegistration.class::cast)
                .toList();
    }

    synchronized long callCount() {
        return calls.size();
    }

    /** Somebody else's registration of a service on a node. */
    public void registerElsewhere(String node, NodeService service, HealthCheck... checks) {
        call(
                Method.CATALOG_REGISTER,
                new CatalogRegistration(
                        "dc1", "", node, "10.0.0.9", null, null, service, List.of(checks), true));
    }

    void deregisterElsewhere(String node, String serviceId, String checkId) {
        call(Method.CATALOG_DEREGISTER, new CatalogDeregistration("dc1", node, serviceId, checkId));
    }

    @Override
    public String toString() {
        return Objects.toString(calls);
    }
}
