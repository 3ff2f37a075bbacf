package registry.api;

/**
 * The coordinate of a node.
 *
 * @param segment of the network; empty for the one there is
 */
public record NodeCoordinate(String node, String segment, Coordinate coord) {}
