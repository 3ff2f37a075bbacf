package registry.agent.gossip;

import java.nio.ByteBuffer;
import java.util.List;
import org.jgroups.Address;
import org.jgroups.BytesMessage;
import org.jgroups.Message;
import org.jgroups.conf.ClassConfigurator;
import org.jgroups.protocols.NAKACK4;
import org.jgroups.protocols.NakAckHeader;
import org.jgroups.util.Buffer;
import org.jgroups.util.Digest;
import org.jgroups.util.MessageBatch;

/**
 * Multicast that changes of the view neither stop nor rob. A sender forgets what all members of its
 * view have acknowledged. Who came in between, with a digest of before that, waited for it in vain,
 * took nothing more from that sender, and acknowledged nothing, so that the sender stopped as well
 * when its buffer was full: for ever. Here the sender tells whoever is so far behind where its
 * buffer begins. And where parts of a group become one, words on their way to a member were skipped
 * because their sender had counted them already; here they are waited for.
 */
final class SteadyMulticast extends NAKACK4 {
    private static final int CAPACITY = 256;

    SteadyMulticast() {
        id = ClassConfigurator.getProtocolId(NAKACK4.class); // peers know it by this number
        capacity(CAPACITY);
        useMcastXmit(false);
    }

    @Override
    protected void adjustReceivers(List<Address> members) {
        super.adjustReceivers(members);
        tellWhoIsBehind(members);
    }

    /** Called every second: asks for what is missing, and says what was sent last. */
    @Override
    public void triggerXmit() {
        super.triggerXmit();
        Buffer<Message> sent = sendBuf();
        if (sent != null && sent.low() != sent.high()) {
            tellWhoIsBehind(members);
        }
    }

    private void tellWhoIsBehind(List<Address> members) {
        Buffer<Message> sent = sendBuf();
        if (sent == null) {
            return;
        }
        for (Address member : members) {
            if (!member.equals(local_addr) && ack_table.min(member) < sent.low()) {
                down_prot.down(beginning(member, sent));
            }
        }
    }

    /** The last number, which all members understand, and the one before the first to be had. */
    private Message beginning(Address to, Buffer<Message> sent) {
        byte[] before = ByteBuffer.allocate(Long.BYTES).putLong(sent.low()).array();
        return new BytesMessage(to, before)
                .setFlag(Message.Flag.OOB, Message.Flag.NO_FC)
                .setFlag(Message.TransientFlag.DONT_BLOCK)
                .putHeader(id, NakAckHeader.createHighestSeqnoHeader(sent.high()));
    }

    @Override
    public Object up(Message message) {
        hear(message);
        return super.up(message);
    }

    @Override
    public void up(MessageBatch batch) {
        batch.forEach(this::hear);
        super.up(batch);
    }

    private void hear(Message message) {
        NakAckHeader header = message.getHeader(id);
        if (header != null
                && header.type() == NakAckHeader.HIGHEST_SEQNO
                && message.getLength() == Long.BYTES
                && getBuf(message.getSrc()) != null) {
            long before =
                    ByteBuffer.wrap(message.getArray(), message.getOffset(), Long.BYTES).getLong();
            super.mergeDigest(new Digest(message.getSrc(), before, before));
        }
    }

    /** Of senders that this node hears already it goes on waiting for what it has not got. */
    @Override
    protected void mergeDigest(Digest digest) {
        for (Digest.Entry sender : digest) {
            if (getBuf(sender.member()) == null) {
                super.mergeDigest(new Digest(sender.member(), sender.hd(), sender.hr()));
            }
        }
    }
}
