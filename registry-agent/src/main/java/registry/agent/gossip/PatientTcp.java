package registry.agent.gossip;

import static java.util.concurrent.TimeUnit.MILLISECONDS;

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

    PatientTcp() {
        id = ClassConfigurator.getProtocolId(TCP.class); // peers know it by this number
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

    private static void end(Connection connection, boolean gracefully) {
        try {
            connection.close(gracefully);
        } catch (IOException e) {
            LOG.trace("closing a connection", e);
        }
    }
}
