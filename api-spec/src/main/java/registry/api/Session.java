package registry.api;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Who may hold locks, and what ends it.
 *
 * @param lockDelay in nanoseconds
 * @param behavior {@link #RELEASE} or {@link #DELETE}: what becomes of its keys when it ends
 * @param ttl as its creator wrote it; empty when it lives until something else ends it
 * @param nodeChecks ids of checks of the node that end it when they fail or go
 */
public record Session(
        String id,
        String name,
        String node,
        long lockDelay,
        String behavior,
        String ttl,
        List<String> nodeChecks,
        @Nullable List<ServiceCheck> serviceChecks,
        long createIndex,
        long modifyIndex) {
    public static final String RELEASE = "release";
    public static final String DELETE = "delete";

    /** A check of an instance, by its id. */
    public record ServiceCheck(String id, String namespace) {}

    public Session {
        nodeChecks = nodeChecks == null ? List.of() : List.copyOf(nodeChecks);
        serviceChecks = serviceChecks == null ? null : List.copyOf(serviceChecks);
    }
}
