package registry.server.raft;

import com.alipay.sofa.jraft.Closure;
import com.alipay.sofa.jraft.Iterator;
import com.alipay.sofa.jraft.Status;
import com.alipay.sofa.jraft.conf.Configuration;
import com.alipay.sofa.jraft.core.StateMachineAdapter;
import com.alipay.sofa.jraft.error.RaftError;
import com.alipay.sofa.jraft.error.RaftException;
import com.alipay.sofa.jraft.storage.snapshot.SnapshotReader;
import com.alipay.sofa.jraft.storage.snapshot.SnapshotWriter;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Hands committed commands to the {@link Applier} on the engine's one thread for it, and asks for a
 * snapshot when enough bytes have gone by. What the applier can't do is fatal: the next command
 * would build on a state that the others do not have.
 */
final class CommandMachine extends StateMachineAdapter {
    private static final Logger LOG = LoggerFactory.getLogger(CommandMachine.class);

    /** Ends this server: it can't go on and must not answer. */
    interface Fatal {
        void stop(String why, Throwable cause);
    }

    private final Applier applier;
    private final Executor snapshotWriter;
    private final Runnable enoughForSnapshot;
    private final long snapshotBytes;
    private final IntSupplier voters;
    private final Fatal fatal;
    private volatile long leadingTerm;
    private volatile long appliedIndex;
    private final AtomicLong appliedBytes = new AtomicLong();
    private volatile long snapshotSize;
    private final AtomicBoolean snapshotAsked = new AtomicBoolean();
    private volatile boolean soleVoter;

    /**
     * @param enoughForSnapshot asked once when there is enough new log; must not wait
     * @param voters how many voters there are now; asked while this server leads
     */
    CommandMachine(
            Applier applier,
            Executor snapshotWriter,
            long snapshotBytes,
            Runnable enoughForSnapshot,
            IntSupplier voters,
            Fatal fatal) {
        this.applier = applier;
        this.snapshotWriter = snapshotWriter;
        this.snapshotBytes = snapshotBytes;
        this.enoughForSnapshot = enoughForSnapshot;
        this.voters = voters;
        this.fatal = fatal;
    }

    /** The term in which this server leads and has applied an entry of it; 0 when it does not. */
    long leadingTerm() {
        return leadingTerm;
    }

    /** Index of the last applied command; the engine itself knows of it a little later. */
    long appliedIndex() {
        return appliedIndex;
    }

    /** Bytes of commands applied since the last snapshot. */
    long bytesSinceSnapshot() {
        return appliedBytes.get();
    }

    /**
     * True when nobody else has a vote. It follows a change as soon as that is committed in its
     * joint form; until then no other server can be elected without this one.
     */
    boolean isSoleVoter() {
        return soleVoter;
    }

    /**
     * What {@code enoughForSnapshot} asked for has ended. After a failure it is asked again with
     * the next command.
     */
    void snapshotEnded(boolean well) {
        snapshotAsked.set(false);
        if (well) {
            askForSnapshot();
        }
    }

    @Override
    public void onApply(Iterator entries) {
        while (entries.hasNext()) {
            byte[] command = bytes(entries.getData());
            Object result;
            try {
                result = applier.apply(entries.getIndex(), command);
            } catch (RuntimeException | Error e) {
                fatal.stop("command " + entries.getIndex() + " can't be applied", e);
                throw e;
            }
            appliedBytes.addAndGet(command.length);
            appliedIndex = entries.getIndex();
            if (entries.done() instanceof Proposal proposal) {
                proposal.applied(result);
            }
            entries.next();
        }
        askForSnapshot();
    }

    private void askForSnapshot() {
        // A big state is worth more log: writing it must not become the main work.
        boolean enough = appliedBytes.get() >= Math.max(snapshotBytes, snapshotSize);
        if (enough && snapshotAsked.compareAndSet(false, true)) {
            enoughForSnapshot.run();
        }
    }

    private static byte[] bytes(ByteBuffer data) {
        if (data.hasArray() && data.arrayOffset() == 0 && data.remaining() == data.array().length) {
            return data.array();
        }
        byte[] copy = new byte[data.remaining()];
        data.duplicate().get(copy);
        return copy;
    }

    @Override
    public void onSnapshotSave(SnapshotWriter writer, Closure done) {
        Applier.Snapshot state = applier.snapshot();
        long covered = appliedBytes.get();
        snapshotWriter.execute(() -> save((Snapshots.Writer) writer, state, covered, done));
    }

    private void save(Snapshots.Writer writer, Applier.Snapshot state, long covered, Closure done) {
        appliedBytes.addAndGet(-covered);
        try {
            snapshotSize = writer.write(state);
            done.run(Status.OK());
        } catch (IOException | RuntimeException e) {
            // Not fatal: the log has everything, and it is asked for again after as many bytes.
            LOG.error("writing a snapshot failed: error=\"{}\"", e.toString());
            done.run(new Status(RaftError.EINTERNAL, "writing a snapshot failed: %s", e));
        }
    }

    @Override
    public boolean onSnapshotLoad(SnapshotReader reader) {
        Snapshots.Reader saved = (Snapshots.Reader) reader;
        try (InputStream state = saved.state()) {
            applier.load(state);
            appliedBytes.set(0);
            LOG.info("snapshot loaded: file={}", saved.getPath());
            return true;
        } catch (IOException | RuntimeException e) {
            fatal.stop("the snapshot \"" + saved.getPath() + "\" can't be loaded", e);
            return false;
        }
    }

    /**
     * The engine calls this when the first entry of the term was applied: an entry of its own, so
     * all before are applied.
     */
    @Override
    public void onLeaderStart(long term) {
        soleVoter = nobodyElseVotes();
        applier.leading(term);
        leadingTerm = term;
    }

    /**
     * The engine refuses to tell whoever has lost the lead meanwhile. What is thrown here would end
     * the work on the log for good.
     */
    private boolean nobodyElseVotes() {
        try {
            return voters.getAsInt() == 1;
        } catch (IllegalStateException deposed) {
            return false;
        }
    }

    @Override
    public void onLeaderStop(Status status) {
        leadingTerm = 0;
        applier.following();
    }

    @Override
    public void onConfigurationCommitted(Configuration committed) {
        soleVoter = committed.size() == 1;
    }

    @Override
    public void onError(RaftException e) {
        fatal.stop("the Raft engine failed: " + e.getStatus(), e);
    }
}
