package registry.server.rpc;

/** How fresh an answer has to be. Source: consul-api 2.2. */
public enum Consistency {
    /** The leader's state while it hears a quorum. */
    DEFAULT,
    /** The leader proves its leadership to a quorum first: linearizable. */
    CONSISTENT,
    /** Any server's state, which says how old it is. */
    STALE
}
