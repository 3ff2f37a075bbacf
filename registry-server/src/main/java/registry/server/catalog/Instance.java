package registry.server.catalog;

import registry.api.NodeService;
import registry.api.json.Json;
import registry.server.state.Keys;
import registry.server.state.Row;

/**
 * A service instance in the catalogue.
 *
 * @param node key of the node that carries it
 */
public record Instance(String node, Row<NodeService> row) {
    /** As it stands in snapshots. */
    private record Stored(String node, NodeService service) {}

    public NodeService service() {
        return row.value();
    }

    /** The service's id in its case-insensitive form. */
    public String id() {
        return Keys.fold(service().id());
    }

    /** The service's name in its case-insensitive form. */
    public String name() {
        return Keys.fold(service().service());
    }

    byte[] encode() {
        return Json.write(new Stored(node, service()));
    }

    static Instance decode(byte[] bytes) {
        Stored stored = Json.read(bytes, Stored.class);
        return new Instance(stored.node, new Row<>(stored.service));
    }
}
