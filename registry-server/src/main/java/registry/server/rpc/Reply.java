package registry.server.rpc;

/**
 * The answer to a {@link Question}.
 *
 * @param found false for a key that is absent or a prefix without keys: HTTP says 404, with the
 *     index
 * @param index what {@code X-Consul-Index} says, at least 1
 * @param lastContactMillis age of a stale answer: since this server last heard its leader; 0 on the
 *     leader
 * @param body JSON (indented when {@code pretty} was asked), or the value itself for a raw key;
 *     never changed after
 */
public record Reply(
        boolean found, long index, boolean knownLeader, long lastContactMillis, byte[] body) {}
