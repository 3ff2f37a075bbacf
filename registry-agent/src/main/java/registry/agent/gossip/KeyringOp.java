package registry.agent.gossip;

/** What is done with keyrings. */
public enum KeyringOp {
    LIST,
    INSTALL,
    USE,
    REMOVE
}
