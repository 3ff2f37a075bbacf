package registry.server.raft;

import com.alipay.sofa.jraft.entity.PeerId;
import com.alipay.sofa.jraft.option.RaftMetaStorageOptions;
import com.alipay.sofa.jraft.storage.RaftMetaStorage;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import registry.server.storage.NodeStore;

/**
 * Term and vote of this server, on disk before anybody hears of them. One row in family META: the
 * term (8 bytes) and whom it voted for, if anybody. The engine writes it with its lock held.
 */
final class Ballot implements RaftMetaStorage {
    private static final byte[] KEY = "ballot".getBytes(StandardCharsets.UTF_8);

    private final NodeStore store;
    private volatile long term;
    private volatile PeerId vote = PeerId.emptyPeer();

    Ballot(NodeStore store) {
        this.store = store;
        byte[] saved = store.get(NodeStore.META, KEY);
        if (saved != null) {
            read(ByteBuffer.wrap(saved));
        }
    }

    private void read(ByteBuffer saved) {
        term = saved.getLong();
        String name = StandardCharsets.UTF_8.decode(saved).toString();
        PeerId peer = new PeerId();
        if (!name.isEmpty() && !peer.parse(name)) {
            throw new IllegalStateException(
                    "the vote \"" + name + "\" of term " + term + " can't be read");
        }
        vote = peer;
    }

    @Override
    public boolean init(RaftMetaStorageOptions options) {
        return true;
    }

    /** The store belongs to the node, which closes it. */
    @Override
    public void shutdown() {}

    @Override
    public boolean setTerm(long newTerm) {
        return setTermAndVotedFor(newTerm, vote);
    }

    @Override
    public long getTerm() {
        return term;
    }

    @Override
    public boolean setVotedFor(PeerId peer) {
        return setTermAndVotedFor(term, peer);
    }

    @Override
    public PeerId getVotedFor() {
        return vote;
    }

    @Override
    public boolean setTermAndVotedFor(long newTerm, PeerId peer) {
        byte[] name =
                peer.isEmpty() ? new byte[0] : peer.toString().getBytes(StandardCharsets.UTF_8);
        ByteBuffer row = ByteBuffer.allocate(Long.BYTES + name.length).putLong(newTerm).put(name);
        store.put(NodeStore.META, KEY, row.array(), true);
        term = newTerm;
        vote = peer.copy();
        return true;
    }
}
