package registry.server.coordinate;

import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;
import registry.api.Coordinate;
import registry.api.NodeCoordinate;
import registry.api.json.Json;
import registry.server.state.Keys;
import registry.server.state.State;
import registry.server.state.TableDef;
import registry.server.state.Tx;

/** Coordinates of nodes: their table, and how a command changes them. */
public final class CoordinateTable {
    private static final String SCOPE = "coordinates";

    /** Coordinates by node and segment. */
    public static final TableDef<NodeCoordinate> COORDINATES =
            new TableDef<>(
                            "coordinates",
                            String::compareTo,
                            row -> key(row.node(), row.segment()),
                            List.of(),
                            Json::write,
                            bytes -> Json.read(bytes, NodeCoordinate.class))
                    .carriedBy((row, here, into) -> row, SCOPE);

    private CoordinateTable() {}

    private static String key(String node, String segment) {
        return Keys.join(Keys.fold(node), segment);
    }

    /** Watches all coordinates: they have one index. */
    static List<String> watches() {
        return List.of(SCOPE);
    }

    static long index(State state) {
        return state.index(SCOPE);
    }

    static Collection<NodeCoordinate> all(State state) {
        return state.table(COORDINATES).rows().values();
    }

    static List<NodeCoordinate> of(State state, String node) {
        return state.table(COORDINATES).below(Keys.join(Keys.fold(node), ""));
    }

    /** Where the node is, whatever case its name is in; null when that is not known. */
    static @Nullable Coordinate at(State state, String node) {
        NodeCoordinate row = state.table(COORDINATES).get(key(node, ""));
        return row == null ? null : row.coord();
    }

    /** Where the node is; at the origin when that is not known. */
    public static NodeCoordinate atOrOrigin(State state, String node) {
        Coordinate coordinate = at(state, node);
        return new NodeCoordinate(node, "", coordinate == null ? Coordinate.ORIGIN : coordinate);
    }

    /** Puts a node where it is now; the node must be there. */
    public static void put(Tx tx, NodeCoordinate row) {
        if (!row.equals(tx.get(COORDINATES, key(row.node(), row.segment())))) {
            tx.put(COORDINATES, row);
            tx.move(SCOPE);
        }
    }

    /** The node has gone. */
    public static void forget(Tx tx, String node) {
        List<NodeCoordinate> rows = tx.table(COORDINATES).below(Keys.join(Keys.fold(node), ""));
        for (NodeCoordinate row : rows) {
            tx.delete(COORDINATES, key(row.node(), row.segment()));
            tx.move(SCOPE);
        }
    }
}
