package registry.server.coordinate;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import registry.api.Coordinate;
import registry.server.rpc.Query;
import registry.server.rpc.Question;
import registry.server.state.Keys;
import registry.server.state.State;

/** Puts rows into the order of the round trips to their nodes. Source: consul-api 1.7 */
public final class Nearness {
    /** Nearer than any other: by its height alone a node may seem to be far from itself. */
    private static final double OWN = -1;

    private Nearness() {}

    /** The query; where an order is wanted, its answers change without any index. */
    public static Query keep(Question question, Query query) {
        return question.first("near").isEmpty() ? query : query.uncached();
    }

    /** The rows, nearest first when the question says to whom. */
    public static <R> Collection<R> order(
            State state, Question question, Collection<R> rows, Function<R, String> node) {
        return order(state, question.first("near"), rows, node);
    }

    /**
     * The rows, those first whose node has the shortest round trip to {@code near}; those of which
     * nothing is known last. As they are when nothing is known of {@code near}. Rows of equal
     * distance keep their order.
     *
     * @param near a node's name; empty for no order
     */
    public static <R> Collection<R> order(
            State state, String near, Collection<R> rows, Function<R, String> node) {
        Coordinate from = near.isEmpty() ? null : CoordinateTable.at(state, near);
        if (from == null) {
            return rows;
        }
        String own = Keys.fold(near);
        record Placed<R>(R row, double seconds) {}
        ToDoubleFunction<R> distance =
                row -> {
                    String name = node.apply(row);
                    if (Keys.fold(name).equals(own)) {
                        return OWN;
                    }
                    Coordinate to = CoordinateTable.at(state, name);
                    return to == null ? Double.POSITIVE_INFINITY : from.secondsTo(to);
                };
        List<Placed<R>> placed = new ArrayList<>(rows.size());
        for (R row : rows) {
            placed.add(new Placed<>(row, distance.applyAsDouble(row)));
        }
        placed.sort(Comparator.comparingDouble(Placed::seconds));
        return placed.stream().map(Placed::row).toList();
    }
}
