package registry.agent.dns;

/**
 * Who asks.
 *
 * @param address from where, as text; empty when it is not known
 */
record Asker(String address, Patience patience) {}
