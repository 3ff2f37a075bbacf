package registry.agent.gossip;

import org.jgroups.Address;
import org.jgroups.util.UUID;

/** The text form of a process's address in the group. */
final class Via {
    private Via() {}

    static String of(Address address) {
        return ((UUID) address).toStringLong();
    }
}
