package registry.api;

import java.util.SortedMap;
import org.jspecify.annotations.Nullable;

/**
 * A node of the catalogue. {@code id} is a UUID or empty; maps are null when the registration had
 * none. Source: developer.hashicorp.com/consul/api-docs/catalog
 */
public record Node(
        String id,
        String node,
        String address,
        String datacenter,
        @Nullable SortedMap<String, String> taggedAddresses,
        @Nullable SortedMap<String, String> meta,
        long createIndex,
        long modifyIndex) {}
