package registry.agent.gossip;

import static java.util.concurrent.TimeUnit.MILLISECONDS;

import java.io.DataInput;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.jgroups.Address;
import org.jgroups.PhysicalAddress;
import org.jgroups.blocks.cs.Connection;
import org.jgroups.conf.ClassConfigurator;
import org.jgroups.protocols.TCP;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * TCP whose view changes are not held up by a former member that is frozen with full buffers: the
 * polite end of a connection is tried for a moment on threads of its own, then it is cut.
 */
final class PatientTcp extends TCP {
    private static final Logger LOG = LoggerFactory.getLogger(PatientTcp.class);
    private static final long PATIENCE_MILLIS = 200;

    /** Above all that members send: a fragment is at most 60,000 bytes. */
    private static final int MAX_BYTES = 1 << 20;

    PatientTcp() {
        id = ClassConfigurator.getProtocolId(TCP.class); // peers know it by this number
    }

    /** The length is what a peer says; nothing beyond what members send is believed. */
    @Override
    public void receive(Address sender, DataInput in, int length) throws Exception {
        if (length < 0 || length > MAX_BYTES) {
            throw new IOException("a gossip message of " + length + " bytes");
        }
        byte[] message = new byte[length];
        in.readFully(message);
        receive(sender, message, 0, length);
    }

    @Override
    public void retainAll(Collection<Address> members) {
        List<Connection> former = new ArrayList<>();
        srv.forAllConnections((address, connection) -> {
            if (!members.contains(address) && !is_member.test((PhysicalAddress) address)) {
                former.add(connection);
            }
        });
        if (!former.isEmpty()) {
            var polite = new CountDownLatch(former.size());
            for (Connection connection : former) {
                Thread.startVirtualThread(() -> {
                    end(connection, true);
                    polite.countDown();
                });
            }
            try {
                if (!polite.await(PATIENCE_MILLIS, MILLISECONDS)) {
                    LOG.debug("connections of former members are cut: count={}", former.size());
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            former.forEach(connection -> end(connection, false));
        }
        super.retainAll(members);
    }

    /**
     * The second step stops the connection's sending thread, which the first leaves running: it
     * would try to send what is queued on a connection that is none any more, again and again
     * without a pause, and two of them take a small machine's virtual threads for themselves.
     */
    private static void end(Connection connection, boolean gracefully) {
        try {
            connection.close(gracefully);
            connection.close();
        } catch (IOException e) {
            LOG.trace("closing a connection", e);
        }
    }

    /** For tests: what a kernel does to the connections of a process that it kills. */
    void cutAll() {
        List<Connection> all = new ArrayList<>();
        srv.forAllConnections((address, connection) -> all.add(connection));
        all.forEach(connection -> end(connection, false));
    }
}
