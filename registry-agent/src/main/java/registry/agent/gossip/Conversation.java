package registry.agent.gossip;

import static java.util.concurrent.TimeUnit.MILLISECONDS;

import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeoutException;
import org.jgroups.Address;
import org.jgroups.JChannel;
import org.jgroups.MergeView;
import org.jgroups.Message;
import org.jgroups.View;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import registry.agent.gossip.GossipMessage.Comparison;
import registry.agent.gossip.Holders.Holder;
import registry.api.json.Json;
import registry.server.leader.Members.State;

/**
 * What members tell each other, and what this node concludes from it and from the views. All of it
 * happens on one thread, {@code gossip}, which owns the holders and is the only one to write the
 * table. JGroups' threads hand over by {@link #onView} and {@link #onMessage}.
 */
final class Conversation implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Conversation.class);

    /** Two or three rounds of merging, each with its wait for answers. */
    private static final long MERGE_MILLIS = 8_000;

    /** For as long as who led may have been deaf, and a merge after it. */
    private static final long DEAF_MILLIS = 20_000;

    private static final long KNOCK_MILLIS = 200;

    private final ScheduledExecutorService gossip =
            Executors.newSingleThreadScheduledExecutor(
                    Thread.ofPlatform().daemon().name("gossip").factory());
    private final GossipStack stack;
    private final JChannel channel;
    private final Speaker speaker;
    private final Self self;
    private final Admission admission;
    private final MemberTable table;
    private final UserEvents events;
    private final KeyringRounds keyrings;
    private final Seeds seeds;
    private final Runnable onChange;
    private final Holders holders = new Holders();
    private volatile List<Address> view = List.of(); // set by the gossip thread

    /** The table's digest when it was last looked at. */
    private long settled;

    /**
     * @param onChange called when the table says something new; may not block
     */
    Conversation(
            GossipStack stack,
            JChannel channel,
            Speaker speaker,
            Self self,
            Admission admission,
            MemberTable table,
            UserEvents events,
            KeyringRounds keyrings,
            Seeds seeds,
            Runnable onChange) {
        this.stack = stack;
        this.channel = channel;
        this.speaker = speaker;
        this.self = self;
        this.admission = admission;
        this.table = table;
        this.events = events;
        this.keyrings = keyrings;
        this.seeds = seeds;
        this.onChange = onChange;
    }

    /** Hands over to the {@code gossip} thread. */
    void later(Runnable work) {
        try {
            gossip.execute(guarded(work));
        } catch (RejectedExecutionException closed) {
            LOG.trace("event after close");
        }
    }

    /** Repeats on the {@code gossip} thread. */
    void every(long millis, Runnable work) {
        gossip.scheduleWithFixedDelay(guarded(work), millis, millis, MILLISECONDS);
    }

    /** Does it once on the {@code gossip} thread, after so long. */
    void after(long millis, Runnable work) {
        try {
            gossip.schedule(guarded(work), millis, MILLISECONDS);
        } catch (RejectedExecutionException closed) {
            LOG.trace("event after close");
        }
    }

    /** Waits until the {@code gossip} thread has done it, or the time is over. */
    void await(long millis, Callable<?> work) {
        try {
            gossip.submit(work).get(millis, MILLISECONDS);
        } catch (ExecutionException | TimeoutException | RejectedExecutionException e) {
            LOG.warn("gossip is held up: error={}", e.toString());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static Runnable guarded(Runnable work) {
        return () -> {
            try {
                work.run();
            } catch (RuntimeException e) {
                LOG.error("gossip event failed", e);
            }
        };
    }

    /** Takes this node's present record into the table, and tells everybody. */
    void announce() {
        MemberRecord own = self.next();
        table.put(own);
        speaker.tell(null, GossipMessage.of(own, self.upMillis()));
    }

    boolean isAlone() {
        return view.size() <= 1;
    }

    // Views

    /** Called by JGroups' threads. */
    void onView(View next) {
        Set<Address> heard = stack.droppedAlive();
        later(() -> {
            List<Address> before = view;
            view = next.getMembers();
            boolean changed = false;
            for (Address left : before) {
                if (view.contains(left)) {
                    continue;
                }
                if (next instanceof MergeView) {
                    takeOutUnlessBack(left, MERGE_MILLIS);
                } else if (heard.contains(left) && !hasSaidGoodbye(left)) {
                    takeOutUnlessBack(left, DEAF_MILLIS);
                } else {
                    changed |= takeOut(left);
                }
            }
            suitMerging();
            if (view.size() > 1 && !before.containsAll(view)) {
                greet(next, before);
            }
            if (changed) {
                onChange.run();
            }
            remember();
        });
    }

    private boolean takeOut(Address left) {
        Holder holder = holders.remove(Via.of(left));
        if (holder == null) {
            return false;
        }
        MemberRecord member = holder.record();
        if (!table.gone(member.name(), member.via(), System.currentTimeMillis())) {
            return false;
        }
        LOG.info(
                "member gone: node={} address={}:{}",
                member.name(),
                member.address(),
                member.port());
        return true;
    }

    private boolean hasSaidGoodbye(Address left) {
        Holder holder = holders.find(Via.of(left));
        return holder != null
                && table.find(holder.record().name())
                        .filter(member -> member.state() == State.LEFT)
                        .isPresent();
    }

    /**
     * It was dropped for no reason that is known here, so it gets the time to come back, unless
     * nobody listens at its port. Where parts become one, JGroups leaves out whoever did not answer
     * in time, dead or busy; and whoever makes the views may be deaf, and take all others for dead.
     */
    private void takeOutUnlessBack(Address left, long millis) {
        Holder holder = holders.find(Via.of(left));
        if (view.contains(left) || holder == null) {
            return;
        }
        MemberRecord member = holder.record();
        Thread.startVirtualThread(() -> {
            var at = new InetSocketAddress(member.address(), member.port());
            if (millis <= 0 || Knock.at(at) == Knock.REFUSED) {
                later(() -> takeOutLate(left));
            } else {
                after(KNOCK_MILLIS, () -> takeOutUnlessBack(left, millis - KNOCK_MILLIS));
            }
        });
    }

    private void takeOutLate(Address left) {
        if (!view.contains(left) && takeOut(left)) {
            onChange.run();
            remember();
        }
    }

    private void greet(View next, List<Address> before) {
        if (before.size() <= 1 || next instanceof MergeView) {
            announce();
        }
        if (next instanceof MergeView merge && leadsPartOf(merge)) {
            speaker.tell(null, GossipMessage.about(table.all()));
        }
    }

    private boolean leadsPartOf(MergeView merge) {
        return merge.getSubgroups().stream()
                .anyMatch(part -> channel.getAddress().equals(part.getCoord()));
    }

    /** Once in a second: what must not be forgotten while nothing happens. */
    void keepUp() {
        askTheSilent();
        suitMerging();
    }

    private void suitMerging() {
        stack.suit(view.size(), allAtHome());
    }

    /** Where the members of the view are; empty unless it has all that are known and alive. */
    private Set<InetSocketAddress> allAtHome() {
        Set<InetSocketAddress> present = new HashSet<>();
        for (MemberRecord member : table.all()) {
            if (member.state() == State.FAILED) {
                return Set.of();
            }
            if (member.state() != State.LEFT) {
                present.add(new InetSocketAddress(member.address(), member.port()));
            }
        }
        return present.size() == view.size() ? present : Set.of();
    }

    /**
     * These have not spoken: their word came just before the view that has them, say. What others
     * know of them will not do: it may be of before their last word.
     */
    private void askTheSilent() {
        for (Address member : view) {
            if (!isSelf(member) && !holders.hasSpoken(Via.of(member))) {
                speaker.tell(member, GossipMessage.question());
            }
        }
    }

    /**
     * Asks one of the others, by chance, whether he knows what we know: what was told to all may
     * not have come to all, as when a view of two parts has not yet become one. While there is news
     * it is the others' turn.
     */
    void compare() {
        long digest = table.digest();
        List<Address> others = view.stream().filter(member -> !isSelf(member)).toList();
        if (digest == settled && !others.isEmpty()) {
            Address one = others.get(ThreadLocalRandom.current().nextInt(others.size()));
            var ours = new Comparison(0, digest, List.of());
            speaker.tell(one, GossipMessage.comparison(ours, List.of()));
        }
        settled = digest;
    }

    private void onComparison(Address from, Comparison theirs) {
        long digest = table.digest();
        boolean hasNews = theirs.hop() == 0 && digest != settled;
        if (digest != theirs.digest() && theirs.hop() < Comparison.LAST_HOP && !hasNews) {
            var ours = new Comparison(theirs.hop() + 1, digest, table.forgotten());
            speaker.tell(from, GossipMessage.comparison(ours, table.all()));
        }
    }

    private boolean isSelf(Address member) {
        return member.equals(channel.getAddress());
    }

    private @Nullable Address addressOf(String via) {
        return view.stream().filter(member -> Via.of(member).equals(via)).findFirst().orElse(null);
    }

    private void remember() {
        var addresses = new ArrayList<InetSocketAddress>();
        for (Holder holder : holders.all()) {
            MemberRecord member = holder.record();
            try {
                InetAddress ip = InetAddress.getByName(member.address());
                addresses.add(new InetSocketAddress(ip, member.port()));
            } catch (UnknownHostException e) {
                LOG.debug("not an address: {}", member.address());
            }
        }
        if (!addresses.isEmpty() && self.state() == State.ALIVE) {
            seeds.remember(addresses);
        }
    }

    // Messages

    /** Called by JGroups' threads. */
    void onMessage(Message message) {
        Address from = message.getSrc();
        byte[] body =
                Arrays.copyOfRange(
                        message.getArray(),
                        message.getOffset(),
                        message.getOffset() + message.getLength());
        later(() -> {
            try {
                onMessage(from, Json.read(body, GossipMessage.class));
            } catch (UncheckedIOException e) {
                LOG.warn("unreadable gossip message: from={} bytes={}", from, body.length);
            }
        });
    }

    private void onMessage(Address from, GossipMessage message) {
        if (message.ask()) {
            speaker.tell(from, GossipMessage.of(self.word(), self.upMillis()));
        }
        if (message.refusal() != null) {
            onRefusal(message.refusal(), message.upMillis());
        }
        if (message.event() != null) {
            events.add(message.event());
        }
        if (message.keyringAsk() != null) {
            keyrings.onAsk(message.keyringAsk())
                    .thenAccept(answer -> speaker.tell(from, GossipMessage.answer(answer)));
        }
        if (message.keyringAnswer() != null) {
            keyrings.onAnswer(message.keyringAnswer());
        }
        boolean changed = message.prune() != null && forget(message.prune());
        if (message.self() != null && view.contains(from)) {
            changed |= onOwnWord(from, message.self(), message.upMillis());
        }
        for (MemberRecord record : message.members()) {
            changed |= onHearsay(record);
        }
        if (!message.members().isEmpty()) {
            admission.welcome();
        }
        if (message.comparison() != null) {
            changed |= table.forget(message.comparison().forgotten(), System.currentTimeMillis());
            onComparison(from, message.comparison());
        }
        if (changed) {
            onChange.run();
            remember();
        }
    }

    private boolean forget(String name) {
        return table.forget(name, System.currentTimeMillis());
    }

    /** A member speaks of itself: it is right, unless the name or id is another's that lives. */
    private boolean onOwnWord(Address from, MemberRecord record, long upMillis) {
        if (!record.via().equals(Via.of(from))) {
            return false;
        }
        long started = System.nanoTime() - upMillis * 1_000_000;
        Holder rival = rivalOf(record);
        if (rival != null && rival.precedes(started)) {
            refuse(from, rival);
            return false;
        }
        if (rival != null) {
            replace(rival, new Holder(record, started));
        }
        Holder known = holders.put(new Holder(record, started));
        boolean changed = table.put(record);
        if (known == null && !view.isEmpty() && isSelf(view.getFirst())) {
            speaker.tell(from, GossipMessage.about(table.all()));
        }
        return changed;
    }

    /** Parts have met in which both were at home; whoever runs longer stays. */
    private void replace(Holder younger, Holder elder) {
        Address address = addressOf(younger.record().via());
        holders.remove(younger.record().via());
        if (address != null) {
            refuse(address, elder);
        }
        if (!younger.record().name().equalsIgnoreCase(elder.record().name())) {
            table.remove(younger.record().name());
        }
    }

    /** Another process of the present view with the same name or id, this one included. */
    private @Nullable Holder rivalOf(MemberRecord record) {
        MemberRecord own = table.find(self.name()).orElse(null);
        return own != null && Holders.clash(own, record)
                ? new Holder(own, self.startedNanos())
                : holders.rivalOf(record);
    }

    private void refuse(Address newcomer, Holder holder) {
        if (isSelf(newcomer)) {
            onRefusal(holder.refusal(), holder.upMillis());
        } else {
            speaker.tell(newcomer, GossipMessage.refusal(holder.refusal(), holder.upMillis()));
        }
    }

    private void onRefusal(String text, long holderUpMillis) {
        if (admission.refused(text, holderUpMillis)) {
            after(500, this::announce);
        }
    }

    /** What a member knows of others. */
    private boolean onHearsay(MemberRecord record) {
        if (record.name().equalsIgnoreCase(self.name())) {
            if (self.refutes(record)) {
                announce();
            }
            return false; // nobody knows better than we do
        }
        boolean present = addressOf(record.via()) != null;
        boolean held = holders.contains(record.via());
        if ((present || held) && record.state() == State.FAILED) {
            return false; // as whoever was parted from it saw it; we know better, or shall soon
        }
        boolean unheard = !held && present;
        if (rivalOf(record) != null) {
            return false; // of a process that is no more
        }
        if (unheard && record.state() == State.ALIVE) {
            holders.putHearsay(new Holder(record, System.nanoTime()));
            return table.put(record);
        }
        return table.merge(record, System.currentTimeMillis());
    }

    @Override
    public void close() {
        gossip.shutdownNow();
    }
}
