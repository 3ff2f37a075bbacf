package registry.agent.gossip;

import static java.util.stream.Collectors.toSet;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jgroups.JChannel;
import org.jgroups.Message;
import org.jgroups.Receiver;
import org.jgroups.View;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import registry.agent.gossip.Knocking.Answered;
import registry.agent.gossip.seal.Links;
import registry.api.ApiException;
import registry.api.Member;

/**
 * Gossip on JGroups over TCP: opens its parts in order, and is what the rest of the agent sees of
 * them. What members say to each other is {@link Conversation}.
 */
public final class JGroupsMembership implements Membership {
    private static final Logger log = LoggerFactory.getLogger(JGroupsMembership.class);
    private static final Duration LEFT_KEPT = Duration.ofHours(24);
    private static final long LOOK_AGAIN_MILLIS = 30_000;
    private static final long ASK_MILLIS = 1_000;
    private static final long COMPARE_MILLIS = 2_000;
    private static final long MAX_REAP_MILLIS = 60_000;
    private static final long LEAVE_MILLIS = 5_000;
    private static final long JOIN_NANOS = 5_000_000_000L;

    private final GossipConfig config;
    private final MemberTable table;
    private final UserEvents events = new UserEvents();
    private final List<Runnable> listeners = new CopyOnWriteArrayList<>();
    private final Deque<AutoCloseable> opened = new ArrayDeque<>();
    private final ExecutorService listenerThread =
            Executors.newSingleThreadExecutor(
                    Thread.ofPlatform().daemon().name("gossip-listeners").factory());
    private final Seeds seeds;
    private final GossipStack stack;
    private final JChannel channel;
    private final Knocking knocking;
    private final KeyringRounds keyrings;
    private final Speaker speaker;
    private final Self self;
    private final Admission admission;
    private final Conversation conversation;

    /**
     * Opens the port and forms or joins the cluster. With nobody to look for this node begins
     * alone, without waiting.
     *
     * @throws IOException when the port can't be opened, when nobody of {@code startJoin} answers,
     *     and when a member that is alive has this node's name or id; the message is for the user
     */
    public JGroupsMembership(GossipConfig config) throws IOException {
        this.config = config;
        table = new MemberTable(config.reconnectTimeout().toMillis(), LEFT_KEPT.toMillis());
        seeds = seeds(config);
        var links = new Links(config.keyring());
        stack = new GossipStack(config, links, new RoundTrips(config.distances(), table::nameOf));
        knocking = new Knocking(config.port(), links);
        opened.push(listenerThread::shutdownNow);
        var ears = new Ears();
        try {
            channel = stack.connect(ears, !stack.lookFor(seeds));
        } catch (IOException e) {
            close();
            throw e;
        }
        opened.push(channel);
        speaker = own(new Speaker(channel));
        keyrings = own(new KeyringRounds(config.keyring(), config.nodeName()));
        self = new Self(config, channel.getAddress(), seeds.incarnation());
        admission = new Admission(self::upMillis);
        conversation =
                own(
                        new Conversation(
                                stack,
                                channel,
                                speaker,
                                self,
                                admission,
                                table,
                                events,
                                keyrings,
                                seeds,
                                this::changed));
        ears.listen(conversation);
        enter();
        keepUp();
    }

    private static Seeds seeds(GossipConfig config) {
        var names = new ArrayList<>(config.startJoin());
        names.addAll(config.retryJoin());
        return new Seeds(
                names,
                config.port(),
                config.memory(),
                new InetSocketAddress(config.advertiseAddress(), config.port()));
    }

    private <T extends AutoCloseable> T own(T part) {
        opened.push(part);
        return part;
    }

    /** JGroups' threads come here and only hand over, from the first view on. */
    private static final class Ears implements Receiver {
        private final List<Runnable> early = new ArrayList<>();
        private @Nullable Conversation conversation;

        @Override
        public void viewAccepted(View view) {
            hand(c -> c.onView(view));
        }

        @Override
        public void receive(Message message) {
            hand(c -> c.onMessage(message));
        }

        private synchronized void hand(Consumer<Conversation> word) {
            Conversation listening = conversation;
            if (listening != null) {
                word.accept(listening);
            } else {
                early.add(() -> hand(word));
            }
        }

        synchronized void listen(Conversation listening) {
            conversation = listening;
            List.copyOf(early).forEach(Runnable::run);
            early.clear();
        }
    }

    private void enter() throws IOException {
        try {
            conversation.announce();
            if (!config.startJoin().isEmpty()) {
                knocking.all(config.startJoin());
            }
            admission.await(channel.getView().size() > 1);
        } catch (ApiException e) {
            close();
            throw new IOException("failed to join: " + e.text(), e);
        } catch (IOException e) {
            close();
            throw e;
        }
    }

    private void keepUp() {
        conversation.every(ASK_MILLIS, conversation::keepUp);
        conversation.every(COMPARE_MILLIS, conversation::compare);
        conversation.every(
                Math.min(MAX_REAP_MILLIS, config.reconnectTimeout().toMillis() / 4), this::reap);
        conversation.every(
                LOOK_AGAIN_MILLIS, () -> Thread.startVirtualThread(() -> stack.lookFor(seeds)));
        if (config.retryMax() > 0 && !config.retryJoin().isEmpty()) {
            conversation.after(
                    config.retryInterval().multipliedBy(config.retryMax()).toMillis(),
                    this::giveUp);
        }
    }

    private void reap() {
        if (table.reap(System.currentTimeMillis())) {
            changed();
        }
    }

    private void giveUp() {
        if (conversation.isAlone()) {
            admission.giveUp("max join retry exhausted: nobody of retry_join has answered");
        }
    }

    private void changed() {
        for (Runnable listener : listeners) {
            listenerThread.execute(listener);
        }
    }

    // Members

    @Override
    public List<Peer> all() {
        return table.all().stream().map(MemberRecord::peer).toList();
    }

    @Override
    public List<Member> members() {
        return table.all().stream().map(MemberRecord::member).toList();
    }

    @Override
    public Member self() {
        return table.find(config.nodeName()).orElseGet(self::word).member();
    }

    @Override
    public void onChange(Runnable listener) {
        listeners.add(listener);
    }

    @Override
    public void publish(SortedMap<String, String> facts) {
        self.publish(facts);
        conversation.later(() -> {
            conversation.announce();
            changed();
        });
    }

    @Override
    public void onFatal(Consumer<String> listener) {
        admission.onFatal(listener);
    }

    // Coming and going

    @Override
    public int join(List<String> addresses) {
        List<Answered> answered = knocking.all(addresses);
        seeds.add(answered.stream().map(Answered::name).toList());
        stack.lookFor(seeds);
        conversation.later(() -> Thread.startVirtualThread(stack::mergeNow));
        awaitAll(answered);
        return answered.size();
    }

    /** Consul's join returns when the members are known; so does this, within a limit. */
    private void awaitAll(List<Answered> answered) {
        long deadline = System.nanoTime() + JOIN_NANOS;
        while (System.nanoTime() < deadline
                && !answered.stream().allMatch(one -> isAlive(one.at()))) {
            LockSupport.parkNanos(20_000_000);
        }
    }

    private boolean isAlive(InetSocketAddress address) {
        return table.all().stream()
                .anyMatch(member ->
                        member.state() == State.ALIVE
                                && member.port() == address.getPort()
                                && member.address().equals(address.getAddress().getHostAddress()));
    }

    @Override
    public void leave() {
        conversation.await(
                LEAVE_MILLIS,
                () -> {
                    self.leaving();
                    conversation.announce();
                    if (!config.rejoinAfterLeave()) {
                        seeds.remember(List.of());
                    }
                    return null;
                });
        speaker.flush(LEAVE_MILLIS);
    }

    @Override
    public void forceLeave(String node, boolean prune) {
        MemberRecord known =
                table.find(node)
                        .orElseThrow(() ->
                                ApiException.refused(
                                        "agent: No node found with name '" + node + "'"));
        if (known.state() == State.ALIVE) {
            return; // as in Serf: a member that is alive refutes it
        }
        conversation.later(() -> {
            long now = System.currentTimeMillis();
            MemberRecord left = known.in(State.LEFT, now);
            boolean changed = prune ? table.forget(node, now) : table.merge(left, now);
            speaker.tell(
                    null, prune ? GossipMessage.forget(node) : GossipMessage.about(List.of(left)));
            if (changed) {
                changed();
            }
        });
    }

    // Keyrings and events

    @Override
    public KeyringReport keyring(KeyringOp op, String key, boolean localOnly) {
        Set<String> others =
                table.all().stream()
                        .filter(member -> !localOnly && member.state() == State.ALIVE)
                        .map(MemberRecord::name)
                        .filter(name -> !name.equals(config.nodeName()))
                        .collect(toSet());
        return keyrings.run(op, key, others, ask -> speaker.tell(null, GossipMessage.ask(ask)));
    }

    @Override
    public void fire(UserEvent event) {
        UserEvent timed = event.at(events.nextTime());
        events.add(timed);
        speaker.tell(null, GossipMessage.event(timed));
    }

    @Override
    public void keepEvents(Predicate<UserEvent> wanted) {
        events.keepOnly(wanted);
    }

    @Override
    public List<UserEvent> events() {
        return events.all();
    }

    @Override
    public Runnable onEvent(Runnable listener) {
        return events.watch(listener);
    }

    /** For tests: what this node says of itself. */
    MemberRecord word() {
        return table.find(config.nodeName()).orElseThrow();
    }

    /** For tests: what this node knows. */
    MemberTable table() {
        return table;
    }

    /** For tests: what happens to the channel when the process dies. */
    JChannel channel() {
        return channel;
    }

    @Override
    public void close() {
        while (!opened.isEmpty()) {
            try {
                opened.pop().close();
            } catch (Exception e) {
                log.debug("gossip not closed cleanly: error={}", e.toString());
            }
        }
    }
}
