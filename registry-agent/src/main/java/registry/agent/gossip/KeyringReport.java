package registry.agent.gossip;

import java.util.SortedMap;

/**
 * What members say of their keyrings.
 *
 * @param nodes how many were asked
 * @param keys on how many of them each key is installed
 * @param primaryKeys on how many it is the primary one
 * @param errors by node
 */
public record KeyringReport(
        int nodes,
        SortedMap<String, Integer> keys,
        SortedMap<String, Integer> primaryKeys,
        SortedMap<String, String> errors) {}
