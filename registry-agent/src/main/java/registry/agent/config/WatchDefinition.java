package registry.agent.config;

import com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * One entry of {@code watches} in a file: its type and the parameters as written, checked when the
 * watch is made.
 */
public record WatchDefinition(String type, ObjectNode parameters) {}
