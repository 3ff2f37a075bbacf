package registry.haproxy;

/**
 * An instance that HAProxy shall serve.
 *
 * @param weight 0 to 256
 * @param draining finishes what it has and takes nothing new
 * @param name {@code node/id} as registered, made printable: for people only, never for HAProxy
 */
record Member(Endpoint endpoint, int weight, boolean draining, String name) {}
