package registry.server.coordinate;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import registry.api.ApiException;
import registry.api.NodeCoordinate;
import registry.api.json.Json;
import registry.server.rpc.Body;
import registry.server.rpc.Query;
import registry.server.rpc.Question;
import registry.server.state.Keys;
import registry.server.state.State;
import registry.server.state.StateStore;

/**
 * Takes the coordinates that nodes find for themselves, and shows them. Updates wait here, the last
 * of each node, until the leader writes them in batches: however many nodes there are, coordinates
 * never fill the log. Those under way are lost with a leader; their nodes send new ones. Source:
 * consul-api 3.10
 */
public final class CoordinateEndpoint {
    private static final Logger log = LoggerFactory.getLogger(CoordinateEndpoint.class);
    private static final int BATCH = 128;
    private static final int MAX_WAITING = 5 * BATCH;

    private final StateStore store;

    /** Updates to be written, by node and segment, in the order they came. Guarded by itself. */
    private final Map<String, NodeCoordinate> waiting = new LinkedHashMap<>();

    public CoordinateEndpoint(StateStore store) {
        this.store = store;
    }

    /** Takes a coordinate to be written with the next batch; true always. */
    public Boolean update(NodeCoordinate update) {
        if (update.coord() == null || !update.coord().isUsable()) {
            throw ApiException.refused("incompatible coordinate");
        }
        synchronized (waiting) {
            String key = Keys.join(Keys.fold(update.node()), update.segment());
            if (waiting.size() < MAX_WAITING || waiting.containsKey(key)) {
                waiting.put(key, update);
            } else {
                log.debug("coordinate dropped, too many at once: node={}", update.node());
            }
        }
        return true;
    }

    /** What waits and is not known yet, in batches, and waits no longer. */
    public List<List<NodeCoordinate>> take() {
        List<NodeCoordinate> taken;
        synchronized (waiting) {
            taken = new ArrayList<>(waiting.values());
            waiting.clear();
        }
        State state = store.current();
        taken.removeIf(update -> CoordinateTable.of(state, update.node()).contains(update));
        List<List<NodeCoordinate>> batches = new ArrayList<>();
        for (int from = 0; from < taken.size(); from += BATCH) {
            batches.add(List.copyOf(taken.subList(from, Math.min(taken.size(), from + BATCH))));
        }
        return batches;
    }

    /** {@code /v1/coordinate/nodes}: all, or those of a segment. */
    public Query nodes(Question question) {
        Predicate<NodeCoordinate> wanted = inSegment(question);
        return Query.of(
                CoordinateTable.watches(),
                CoordinateTable::index,
                state ->
                        answer(
                                question,
                                CoordinateTable.all(state).stream().filter(wanted).toList()));
    }

    /** {@code /v1/coordinate/node/NAME}: those of a node; not found when there is none. */
    public Query node(Question question) {
        Predicate<NodeCoordinate> wanted = inSegment(question);
        return Query.of(
                CoordinateTable.watches(),
                CoordinateTable::index,
                state -> {
                    List<NodeCoordinate> rows =
                            CoordinateTable.of(state, question.name()).stream()
                                    .filter(wanted)
                                    .toList();
                    if (rows.isEmpty()) {
                        throw ApiException.notFound("");
                    }
                    return answer(question, rows);
                });
    }

    private static Predicate<NodeCoordinate> inSegment(Question question) {
        return question.has("segment")
                ? row -> row.segment().equals(question.first("segment"))
                : row -> true;
    }

    private static Query.Answer answer(Question question, List<NodeCoordinate> rows) {
        return Query.Answer.found(Body.of(question, Json.write(rows)));
    }
}
