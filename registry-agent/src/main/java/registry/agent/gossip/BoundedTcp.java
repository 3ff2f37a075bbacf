package registry.agent.gossip;

import java.io.DataInput;
import java.io.IOException;
import org.jgroups.Address;
import org.jgroups.conf.ClassConfigurator;
import org.jgroups.protocols.TCP;

/**
 * TCP that does not believe a peer's word on the length of what follows. What is sent never blocks,
 * since the sockets of {@link GossipSockets} queue it; so the transport's own sending threads are
 * not used: those of a connection that was closed while it began went round without a pause for
 * ever, and two of them took all virtual threads of a machine with two cores.
 */
final class BoundedTcp extends TCP {
    /** Above all that members send: a fragment is at most 60,000 bytes. */
    private static final int MAX_BYTES = 1 << 20;

    BoundedTcp() {
        id = ClassConfigurator.getProtocolId(TCP.class); // peers know it by this number
        nonBlockingSends(false);
    }

    @Override
    public void receive(Address sender, DataInput in, int length) throws Exception {
        if (length < 0 || length > MAX_BYTES) {
            throw new IOException("a gossip message of " + length + " bytes");
        }
        byte[] message = new byte[length];
        in.readFully(message);
        receive(sender, message, 0, length);
    }
}
