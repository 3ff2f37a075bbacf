package registry.server.catalog;

import registry.api.NodeService;
import registry.api.json.Json;
import registry.server.state.Keys;
import registry.server.state.Row;
import registry.server.state.Shared;

/**
 * A service instance in the catalogue.
 *
 * @param node key of the node that carries it
 * @param key its own key, made of the node's and its id
 */
public record Instance(String node, String key, Row<NodeService> row) {
    /** As it stands in snapshots. */
    private record Stored(String node, NodeService service) {}

    static Instance of(String node, NodeService service) {
        return new Instance(
                Shared.of(node),
                Shared.of(Keys.join(node, Keys.fold(service.id()))),
                new Row<>(service));
    }

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
        NodeService s = stored.service;
        return Instance.of(
                stored.node, CatalogTable.withIndexes(s, s.createIndex(), s.modifyIndex()));
    }
}
