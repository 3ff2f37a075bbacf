package registry.agent.gossip;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.util.Set;
import org.jgroups.Address;
import org.jgroups.JChannel;
import org.jgroups.Receiver;
import org.jgroups.protocols.FRAG4;
import org.jgroups.protocols.TCP;
import org.jgroups.protocols.TCPPING;
import org.jgroups.protocols.UNICAST4;
import org.jgroups.protocols.pbcast.GMS;
import org.jgroups.stack.Protocol;
import org.jspecify.annotations.Nullable;
import registry.agent.gossip.seal.DatagramSeal;
import registry.agent.gossip.seal.Links;

/** The JGroups channel of a node: which protocols, in which order, set how. */
final class GossipStack {
    static final int CONNECT_MILLIS = 2_000;

    /** A view waits no longer for members that died with the one that it is about. */
    private static final int VIEW_ACK_MILLIS = 700;

    private static final String CLUSTER = "registry";

    private final GossipConfig config;
    private final Links links;
    private final RoundTrips roundTrips;
    private final TCPPING discovery = new TCPPING();
    private final EagerMerge merging = new EagerMerge();
    private volatile Set<InetSocketAddress> lookedFor = Set.of();
    private volatile @Nullable FailureDetector detector;

    GossipStack(GossipConfig config, Links links, RoundTrips roundTrips) {
        this.config = config;
        this.roundTrips = roundTrips;
        this.links = links;
    }

    /**
     * Whom discovery asks from now on; names are resolved anew. May block.
     *
     * @return whether there is anybody
     */
    boolean lookFor(Seeds seeds) {
        Set<InetSocketAddress> hosts = seeds.addresses();
        discovery.setInitialHosts(hosts);
        lookedFor = Set.copyOf(hosts);
        return !hosts.isEmpty();
    }

    /**
     * Looking for other parts is rarer in a large group, and where nobody is missing.
     *
     * @param present where the members of the view are; empty while some of those that are known
     *     are not in it
     */
    void suit(int members, Set<InetSocketAddress> present) {
        merging.suit(members, !present.isEmpty() && present.containsAll(lookedFor));
    }

    /** To be asked when a view comes: who is dropped by it though this node had no reason to. */
    Set<Address> droppedAlive() {
        FailureDetector open = detector;
        return open == null ? Set.of() : open.droppedAlive();
    }

    /** Does at once what merging does in its own time. May block. */
    void mergeNow() {
        merging.meet();
    }

    /**
     * Opens the port and forms or joins the group.
     *
     * @param alone there is nobody to look for, so nobody is waited for
     * @throws IOException naming the address, for the user
     */
    JChannel connect(Receiver ears, boolean alone) throws IOException {
        JChannel channel = null;
        try {
            channel = new JChannel(protocols(alone));
            ((TCP) channel.getProtocolStack().getTransport())
                    .getDiagnosticsHandler()
                    .setEnabled(false);
            channel.setDiscardOwnMessages(true);
            channel.setName(config.nodeName());
            channel.setReceiver(ears);
            channel.connect(CLUSTER);
            return channel;
        } catch (Exception e) {
            if (channel != null) {
                channel.close();
            }
            throw new IOException(
                    "gossip can't listen on %s:%d (serf_lan): %s"
                            .formatted(
                                    config.bindAddress().getHostAddress(),
                                    config.port(),
                                    rootMessage(e)),
                    e);
        }
    }

    private Protocol[] protocols(boolean alone) {
        TCP transport = new BoundedTcp();
        transport.setSocketFactory(new GossipSockets(links));
        transport.setBindAddress(listenAddress());
        transport.setBindPort(config.port());
        transport.setPortRange(0);
        transport.setExternalAddr(config.advertiseAddress());
        transport.setBundlerType("transfer-queue");
        transport.enableSuspectEvents(true);
        transport.logDetails(false);
        transport.setSockConnTimeout(CONNECT_MILLIS);
        transport.setBufferedInputStreamSize(0); // the sockets do it
        transport.getThreadPool().setMinThreads(0).setMaxThreads(200);
        discovery.portRange(0);
        discovery.returnEntireCache(true);
        GMS views = new GMS();
        views.setJoinTimeout(alone ? 20 : 1_000);
        views.setMaxJoinAttempts(alone ? 1 : 10);
        views.printLocalAddress(false);
        views.setViewAckCollectionTimeout(VIEW_ACK_MILLIS);
        FailureDetector detecting =
                new FailureDetector(
                        listenAddress(),
                        new DatagramSeal(links.keyring()),
                        roundTrips,
                        merging::hurry);
        detector = detecting;
        return new Protocol[] {
            transport,
            discovery,
            merging,
            detecting,
            new SteadyMulticast(),
            new UNICAST4().capacity(256),
            views,
            new FRAG4()
        };
    }

    /**
     * The wildcard is narrowed to the advertised address where that is one of ours: JGroups
     * compares addresses by value.
     */
    private InetAddress listenAddress() {
        InetAddress bind = config.bindAddress();
        if (!bind.isAnyLocalAddress()) {
            return bind;
        }
        try {
            return NetworkInterface.getByInetAddress(config.advertiseAddress()) == null
                    ? bind
                    : config.advertiseAddress();
        } catch (SocketException e) {
            return bind;
        }
    }

    private static String rootMessage(Throwable e) {
        Throwable root = e;
        for (Throwable cause = e.getCause(); cause != null; cause = cause.getCause()) {
            root = cause;
        }
        return String.valueOf(root.getMessage());
    }
}
