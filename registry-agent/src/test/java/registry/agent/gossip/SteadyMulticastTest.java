package registry.agent.gossip;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.jgroups.Address;
import org.jgroups.BytesMessage;
import org.jgroups.Event;
import org.jgroups.JChannel;
import org.jgroups.Message;
import org.jgroups.Receiver;
import org.jgroups.conf.ClassConfigurator;
import org.jgroups.protocols.DISCARD;
import org.jgroups.protocols.SHARED_LOOPBACK;
import org.jgroups.protocols.SHARED_LOOPBACK_PING;
import org.jgroups.protocols.UNICAST4;
import org.jgroups.protocols.pbcast.GMS;
import org.jgroups.stack.Protocol;
import org.jgroups.util.MessageBatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** With the engine's own protocol instead of {@link SteadyMulticast} each of these is red. */
class SteadyMulticastTest {
    private final List<JChannel> channels = new ArrayList<>();

    /** A member of the least group there is. */
    private final class Node implements Receiver {
        final List<String> heard = new CopyOnWriteArrayList<>();
        final HeldViews views = new HeldViews();
        final DISCARD ears = new DISCARD();
        final SteadyMulticast multicast = new SteadyMulticast();
        final JChannel channel;

        /**
         * @param unheard from whom nothing arrives for now
         */
        Node(String name, Node... unheard) throws Exception {
            var membership = new GMS();
            membership.printLocalAddress(false);
            membership.setJoinTimeout(500);
            membership.setMaxJoinAttempts(10);
            multicast.setXmitInterval(50);
            channel =
                    new JChannel(
                            new SHARED_LOOPBACK(),
                            new SHARED_LOOPBACK_PING(),
                            ears,
                            multicast,
                            views,
                            new UNICAST4(),
                            membership);
            channels.add(channel);
            for (Node node : unheard) {
                ears.addIgnoreMember(node.address());
            }
            channel.setDiscardOwnMessages(true);
            channel.setName(name);
            channel.setReceiver(this);
            channel.connect(SteadyMulticastTest.class.getName());
        }

        @Override
        public void receive(Message message) {
            byte[] word = message.getArray();
            heard.add(new String(word, message.getOffset(), message.getLength(), UTF_8));
        }

        Address address() {
            return channel.getAddress();
        }

        void say(String word) throws Exception {
            channel.send(new BytesMessage(null, word.getBytes(UTF_8)));
        }
    }

    /** Keeps new views from its node for a while. */
    private static final class HeldViews extends Protocol {
        private static final short VIEWS = ClassConfigurator.getProtocolId(GMS.class);

        private volatile CountDownLatch gate = new CountDownLatch(0);

        void hold() {
            gate = new CountDownLatch(1);
        }

        void release() {
            gate.countDown();
        }

        @Override
        public void up(MessageBatch batch) {
            batch.forEach(this::up);
        }

        @Override
        public Object up(Message message) {
            GMS.GmsHeader header = message.getHeader(VIEWS);
            if (header != null && header.getType() == GMS.GmsHeader.VIEW) {
                try {
                    gate.await();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            }
            return up_prot.up(message);
        }
    }

    @AfterEach
    void close() {
        channels.reversed().forEach(JChannel::close);
    }

    /** The newcomer waited for the word between for ever; the sender, after 256 more, for him. */
    @Test
    void whoCameInBetweenTwoWordsHearsTheNextAndTheSenderGoesOn() throws Exception {
        var leader = new Node("leader");
        var sender = new Node("sender");
        sender.say("before");
        await().atMost(10, SECONDS).until(() -> leader.heard.contains("before"));
        sender.views.hold();
        var newcomer = new Node("newcomer", sender);
        sender.say("between");
        // All of the view that the sender has got it, so it is forgotten.
        await().atMost(10, SECONDS).until(() -> leader.heard.contains("between"));
        await().atMost(10, SECONDS).until(() -> sender.multicast.getNumUnackedMessages() == 0);
        newcomer.ears.removeIgnoredMember(sender.address());
        sender.views.release();
        await().atMost(10, SECONDS).until(() -> sender.channel.getView().size() == 3);
        Thread.startVirtualThread(() -> {
            try {
                for (int number = 0; number < 1_000; number++) {
                    sender.say("after " + number);
                }
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        });
        await().atMost(10, SECONDS).until(() -> newcomer.heard.contains("after 999"));
        await().atMost(10, SECONDS).until(() -> leader.heard.contains("after 999"));
        assertThat(leader.heard).hasSize(1_002);
        assertThat(newcomer.heard).hasSize(1_000);
    }

    /** The sender had counted it, so whoever had not got it yet was to begin behind it. */
    @Test
    void aWordThatIsOnItsWayWhenPartsMeetIsNotSkipped() throws Exception {
        var one = new Node("one");
        var sender = new Node("sender");
        one.ears.addIgnoreMember(sender.address());
        sender.say("word");
        await().atMost(10, SECONDS)
                .until(() ->
                        sender.multicast.getDigest(sender.address()).get(sender.address())[0] == 1);
        one.multicast.down(new Event(Event.MERGE_DIGEST, sender.multicast.getDigest()));
        one.ears.removeIgnoredMember(sender.address());
        await().atMost(10, SECONDS).until(() -> one.heard.contains("word"));
    }
}
