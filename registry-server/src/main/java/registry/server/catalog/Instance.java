package registry.server.catalog;

import org.jspecify.annotations.Nullable;
import registry.api.NodeService;
import registry.api.json.Json;
import registry.server.state.Keys;

/**
 * A service instance in the catalogue: the node that carries it, and the service with its JSON, which is made at the first
 * read and kept.
 */
public final class Instance {
    /** As it stands in snapshots. */
    private record Stored(String node, NodeService service) {}

    private final String node;
    private final NodeService service;

    // Written by any thread without a lock: all of them make the same bytes.
    private byte @Nullable [] json;

    /**
     * @param node the node's name in any case; kept in its case-insensitive form
     */
    Instance(String node, NodeService service) {
        this.node = Keys.fold(node);
        this.service = service;
    }

    /** The node's key. */
    public String node() {
        return node;
    }

    public NodeService service() {
        return service;
    }

    /** The service's id in its case-insensitive form. */
    public String id() {
        return Keys.fold(service.id());
    }

    /** The service's name in its case-insensitive form. */
    public String name() {
        return Keys.fold(service.service());
    }

    /** The service's JSON; not to be changed. */
    public byte[] json() {
        byte[] made = json;
        if (made == null) {
            made = Json.write(service);
            json = made;
        }
        return made;
    }

    byte[] encode() {
        return Json.write(new Stored(node, service));
    }

    static Instance decode(byte[] bytes) {
        Stored stored = Json.read(bytes, Stored.class);
        return new Instance(stored.node, stored.service);
    }
}
