package registry.server.query;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import registry.api.HealthCheck;
import registry.api.Node;
import registry.api.PreparedQuery.ServiceQuery;
import registry.server.catalog.CatalogTable;
import registry.server.catalog.Instance;
import registry.server.coordinate.Nearness;
import registry.server.health.HealthTable;
import registry.server.rpc.Question;
import registry.server.state.Keys;
import registry.server.state.Row;
import registry.server.state.State;

/** Which instances a query finds, and in which order. Source: consul-api 3.10 */
final class Execution {
    private static final String AGENT = "_agent";
    private static final String IP = "_ip";

    /** How far down the nearest are looked through for the very node that was asked from. */
    private static final int OWN_NODE_DEPTH = 10;

    private Execution() {}

    /**
     * Healthy instances that the query wants, in random order, or the nearest first.
     *
     * @param asked who asks, from where, and for how many
     */
    static List<HealthTable.Entry> run(State state, ServiceQuery query, Question asked) {
        // Without a mesh no service has a proxy.
        if (query.connect() || asked.has("connect")) {
            return List.of();
        }
        var wanted = new Wanted(query);
        List<HealthTable.Entry> found = new ArrayList<>();
        for (Instance instance : CatalogTable.instancesOf(state, query.service())) {
            HealthTable.Entry entry = HealthTable.entry(state, instance);
            if (entry != null && wanted.takes(entry)) {
                found.add(entry);
            }
        }
        Collections.shuffle(found, ThreadLocalRandom.current());
        String near = near(state, query, asked);
        if (!near.isEmpty()) {
            found =
                    new ArrayList<>(
                            Nearness.order(state, near, found, entry -> entry.instance().node()));
            ownNodeFirst(found, near);
        }
        int limit = limit(asked);
        return limit > 0 && limit < found.size() ? found.subList(0, limit) : found;
    }

    /** What is asked for in the URL counts before what the query says. */
    private static String near(State state, ServiceQuery query, Question asked) {
        String near = asked.first("near").isEmpty() ? query.near() : asked.first("near");
        return switch (near) {
            case AGENT -> asked.first("agent");
            case IP -> nodeAt(state, asked.first("ip"));
            default -> near;
        };
    }

    private static String nodeAt(State state, String address) {
        if (address.isEmpty()) {
            return "";
        }
        return state.table(CatalogTable.NODES).rows().values().stream()
                .map(Row::value)
                .filter(node -> node.address().equals(address))
                .map(Node::node)
                .findFirst()
                .orElse("");
    }

    private static void ownNodeFirst(List<HealthTable.Entry> found, String near) {
        String own = Keys.fold(near);
        for (int i = 0; i < found.size() && i < OWN_NODE_DEPTH; i++) {
            if (found.get(i).instance().node().equals(own)) {
                Collections.swap(found, 0, i);
                return;
            }
        }
    }

    private static int limit(Question asked) {
        try {
            return Integer.parseInt(asked.first("limit"));
        } catch (NumberFormatException e) {
            return 0;
        }
    }

    /** The conditions of a query, made ready. */
    private static final class Wanted {
        private final ServiceQuery query;
        private final Set<String> ignored;
        private final Set<String> required = new HashSet<>();
        private final Set<String> forbidden = new HashSet<>();

        Wanted(ServiceQuery query) {
            this.query = query;
            this.ignored =
                    query.ignoreCheckIds() == null ? Set.of() : Set.copyOf(query.ignoreCheckIds());
            for (String tag : query.tags() == null ? List.<String>of() : query.tags()) {
                String folded = tag.toLowerCase(Locale.ROOT);
                if (folded.startsWith("!")) {
                    forbidden.add(folded.substring(1));
                } else {
                    required.add(folded);
                }
            }
        }

        boolean takes(HealthTable.Entry entry) {
            return isHealthy(entry.nodeChecks())
                    && isHealthy(entry.ownChecks())
                    && has(query.nodeMeta(), entry.node().value().meta())
                    && has(query.serviceMeta(), entry.instance().service().meta())
                    && takesTags(entry.instance().service().tags());
        }

        private boolean isHealthy(Collection<Row<HealthCheck>> checks) {
            for (Row<HealthCheck> row : checks) {
                HealthCheck check = row.value();
                boolean fails =
                        query.onlyPassing()
                                ? !check.status().equals(HealthCheck.PASSING)
                                : check.status().equals(HealthCheck.CRITICAL);
                if (fails && !ignored.contains(check.checkId())) {
                    return false;
                }
            }
            return true;
        }

        private static boolean has(
                @Nullable Map<String, String> wanted, @Nullable Map<String, String> given) {
            return wanted == null
                    || wanted.isEmpty()
                    || (given != null && given.entrySet().containsAll(wanted.entrySet()));
        }

        private boolean takesTags(List<String> tags) {
            if (required.isEmpty() && forbidden.isEmpty()) {
                return true;
            }
            Set<String> folded = new HashSet<>();
            tags.forEach(tag -> folded.add(tag.toLowerCase(Locale.ROOT)));
            return folded.containsAll(required) && Collections.disjoint(folded, forbidden);
        }
    }
}
