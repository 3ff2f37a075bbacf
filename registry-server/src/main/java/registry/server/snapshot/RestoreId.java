package registry.server.snapshot;

import java.util.Optional;

/**
 * Which restore, and of whose, so that nobody has to wait for one whose agent has ended. As text:
 * the parts with a dot between them.
 *
 * @param unique unlike that of any other restore; has no dot
 * @param process unlike that of any other run of an agent; has no dot
 * @param datacenter that of the agent
 * @param node the agent's
 */
public record RestoreId(String unique, String process, String datacenter, String node) {
    /** Empty when {@code text} is not such a text. */
    static Optional<RestoreId> parse(String text) {
        String[] parts = text.split("\\.", 4);
        return parts.length < 4
                ? Optional.empty()
                : Optional.of(new RestoreId(parts[0], parts[1], parts[2], parts[3]));
    }

    /** Of an earlier run of the agent that the other is of. */
    boolean isEarlierRunOf(RestoreId other) {
        return node.equals(other.node)
                && datacenter.equals(other.datacenter)
                && !process.equals(other.process);
    }

    @Override
    public String toString() {
        return String.join(".", unique, process, datacenter, node);
    }
}
