package registry.agent.gossip;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jgroups.Address;
import org.jgroups.EmptyMessage;
import org.jgroups.Message;
import org.jgroups.PhysicalAddress;
import org.jgroups.View;
import org.jgroups.ViewId;
import org.jgroups.conf.ClassConfigurator;
import org.jgroups.protocols.MERGE3;

/**
 * Merging that does not wait for its next round when it hears of another part of the cluster, so
 * that {@code join} takes no seconds. Large groups keep to the rounds.
 */
final class EagerMerge extends MERGE3 {
    /** From so many members on, looking for others costs more than it brings. */
    private static final int LARGE = 100;

    private static final long REST_NANOS = 1_000_000_000;

    /** By then whoever was left behind has seen it himself. */
    private static final long HURRY_NANOS = 20_000_000_000L;

    /** For what the others say at the same time. */
    private static final long PAUSE_NANOS = 150_000_000;

    private final AtomicLong last = new AtomicLong(System.nanoTime() - REST_NANOS);
    private volatile long hurryUntil = System.nanoTime();
    private volatile boolean rarely;

    EagerMerge() {
        id = ClassConfigurator.getProtocolId(MERGE3.class); // peers know it by this number
        rounds(false);
    }

    /**
     * Rounds are rare in a large group, and where everybody is at home: whoever is parted from us
     * misses us, and looks for us.
     */
    void suit(int members, boolean allAtHome) {
        boolean hurries = System.nanoTime() - hurryUntil < 0;
        boolean rare = members > LARGE || (allAtHome && !hurries);
        if (rare != rarely) {
            rounds(rare);
        }
    }

    /** This process was away: the others may have gone on without it. */
    void hurry() {
        hurryUntil = System.nanoTime() + HURRY_NANOS;
        View own = view;
        if (rarely && own != null && own.size() <= LARGE) {
            rounds(false);
        }
    }

    private synchronized void rounds(boolean rare) {
        rarely = rare;
        // In this order: the old lower bound is held against the upper one that there is.
        setMinInterval(rare ? 10_000 : 1_000).setMaxInterval(rare ? 20_000 : 3_000);
        if (!rare && isInfoSenderRunning()) {
            // Else the next ones would still be far away.
            stopInfoSender();
            startInfoSender();
            stopViewConsistencyChecker();
            startViewConsistencyChecker();
        }
    }

    /**
     * The lowest of those who lead a part begins a merge: whoever is lower than the sender begins
     * it, whoever is not tells the sender of his part. No round of discovery: with many parts they
     * would be a storm.
     */
    @Override
    protected void addInfo(Address sender, ViewId other, String name, PhysicalAddress address) {
        super.addInfo(sender, other, name, address);
        View own = view;
        long now = System.nanoTime();
        long before = last.get();
        if (own == null
                || own.size() > LARGE
                || own.getViewId().equals(other)
                || now - before < REST_NANOS
                || !last.compareAndSet(before, now)) {
            return;
        }
        if (sender.compareTo(local_addr) < 0) {
            down_prot.down(
                    new EmptyMessage(sender)
                            .setFlag(Message.Flag.OOB)
                            .putHeader(getId(), createInfo()));
        } else {
            Thread.startVirtualThread(() -> {
                LockSupport.parkNanos(PAUSE_NANOS);
                checkInconsistencies();
            });
        }
    }

    /** Does at once what its rounds do. Blocks. */
    void meet() {
        sendInfo();
        LockSupport.parkNanos(PAUSE_NANOS);
        checkInconsistencies();
    }
}
