package registry.server.faults;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import registry.server.faults.FaultCluster.Node;
import registry.server.faults.FaultyNetwork.Weather;
import registry.server.leader.Members.State;

/** Does to a cluster whatever can happen to one, as its random numbers say. */
final class Nemesis {
    /** What is done. */
    enum Fault {
        STORM,
        PARTITION,
        ONE_WAY,
        FINE,
        KILL,
        POWER_CUT,
        KILL_LEADER,
        POWER_CUT_OF_ALL,
        POWER_CUT_AT_A_VOTE,
        RESTART,
        HAND_OVER,
        SUSPECT,
        OUTRUN,
        LEAVE_AND_RETURN,
        WIPE
    }

    private final FaultCluster cluster;
    private final Random random;
    private final AtomicBoolean armed = new AtomicBoolean();
    private final Map<Fault, Integer> done = new EnumMap<>(Fault.class);

    Nemesis(FaultCluster cluster, Random random) {
        this.cluster = cluster;
        this.random = random;
        cluster.promises.onVote(this::voted);
    }

    /** How often each has been done. */
    Map<Fault, Integer> done() {
        return done;
    }

    void rage(Duration time) {
        long end = System.nanoTime() + time.toNanos();
        while (System.nanoTime() - end < 0) {
            Fault fault = Fault.values()[random.nextInt(Fault.values().length)];
            if (strike(fault)) {
                done.merge(fault, 1, Integer::sum);
            }
            rest(50 + random.nextInt(600));
        }
    }

    private static void rest(int millis) {
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(millis));
    }

    /** False when it can't be done now. */
    boolean strike(Fault fault) {
        switch (fault) {
            case STORM -> storm();
            case PARTITION -> partition();
            case ONE_WAY -> oneWay();
            case FINE -> cluster.weather(Weather.FINE);
            case KILL -> anyNode().kill(false);
            case POWER_CUT -> anyNode().kill(true);
            case KILL_LEADER -> {
                return onLeader(leader -> leader.kill(random.nextBoolean()));
            }
            case POWER_CUT_OF_ALL -> powerCutOfAll();
            case POWER_CUT_AT_A_VOTE -> {
                armed.set(true);
                return onLeader(leader -> leader.kill(true));
            }
            case RESTART -> cluster.nodes.forEach(Node::start);
            case HAND_OVER -> {
                return onLeader(leader -> {
                    Life life = leader.life();
                    if (life != null) {
                        life.handOver();
                    }
                });
            }
            case SUSPECT -> suspect();
            case OUTRUN -> {
                return outrun();
            }
            case LEAVE_AND_RETURN -> {
                return leaveAndReturn();
            }
            case WIPE -> {
                return wipe();
            }
        }
        return true;
    }

    private Node anyNode() {
        return cluster.nodes.get(random.nextInt(cluster.nodes.size()));
    }

    private interface Deed {
        void to(Node node);
    }

    private boolean onLeader(Deed deed) {
        Node leader = cluster.leader();
        if (leader != null) {
            deed.to(leader);
        }
        return leader != null;
    }

    private void storm() {
        cluster.weather(
                new Weather(
                        false,
                        random.nextDouble() * 0.3,
                        random.nextDouble() * 0.2,
                        random.nextDouble() * 0.5,
                        1 + random.nextInt(200)));
    }

    private void partition() {
        List<Node> shuffled = new ArrayList<>(cluster.nodes);
        Collections.shuffle(shuffled, random);
        int split = 1 + random.nextInt(shuffled.size() - 1);
        for (Node a : shuffled.subList(0, split)) {
            for (Node b : shuffled.subList(split, shuffled.size())) {
                cluster.network.weather(a.name, b.name, Weather.CUT);
                cluster.network.weather(b.name, a.name, Weather.CUT);
            }
        }
    }

    /** One server is heard and hears nothing, or the other way round; by one other or by all. */
    private void oneWay() {
        Node one = anyNode();
        boolean hears = random.nextBoolean();
        boolean all = random.nextBoolean();
        for (Node other : cluster.nodes) {
            if (other != one) {
                cluster.network.weather(
                        hears ? other.name : one.name, hears ? one.name : other.name, Weather.CUT);
                if (!all) {
                    return;
                }
            }
        }
    }

    private void powerCutOfAll() {
        cluster.nodes.forEach(node -> node.kill(true));
        cluster.nodes.forEach(Node::start);
    }

    /** On the way of the voter's answer, which goes on afterwards. */
    private void voted(String voter) {
        if (armed.compareAndSet(true, false)) {
            for (Node node : cluster.nodes) {
                if (node.name.equals(voter)) {
                    node.kill(true);
                }
            }
        }
    }

    /** Gossip is wrong about one that lives. */
    private void suspect() {
        Node node = anyNode();
        if (node.life() != null) {
            cluster.gossip.state(node.name, State.FAILED);
            rest(random.nextInt(400));
            if (node.life() != null) {
                cluster.gossip.state(node.name, State.ALIVE);
            }
        }
    }

    /** One lives on alone until what it misses is in nobody's log any more. */
    private boolean outrun() {
        Node node = anyNode();
        Life alone = node.life();
        if (alone == null) {
            return false;
        }
        for (Node other : cluster.nodes) {
            cluster.network.weather(node.name, other.name, Weather.CUT);
            cluster.network.weather(other.name, node.name, Weather.CUT);
        }
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(4);
        while (!isOutrun(alone) && System.nanoTime() - end < 0) {
            rest(50);
        }
        boolean outrun = isOutrun(alone);
        cluster.weather(Weather.FINE);
        return outrun;
    }

    private boolean isOutrun(Life alone) {
        Node leader = cluster.leader();
        Life leads = leader == null ? null : leader.life();
        return leads != null
                && leads != alone
                && number(leads, "first_log_index") > number(alone, "last_log_index") + 1;
    }

    private static long number(Life life, String figure) {
        return Long.parseLong(life.consensus.stats().getOrDefault(figure, "0"));
    }

    /** A disk may be lost only while all others are there and have all. */
    private boolean wipe() {
        if (!isQuiet()) {
            return false;
        }
        Node node = anyNode();
        node.wipe();
        rest(random.nextInt(300));
        node.start();
        cluster.awaitWhole(Duration.ofSeconds(60));
        return true;
    }

    private boolean leaveAndReturn() {
        if (!isQuiet()) {
            return false;
        }
        Node node = anyNode();
        Life leaving = node.life();
        if (leaving == null) {
            return false;
        }
        leaving.handOver();
        cluster.gossip.state(node.name, State.LEFT);
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(2);
        // It may never hear that it has no vote any more: nobody sends it anything then.
        while (leaving.votes() && System.nanoTime() - end < 0) {
            rest(20);
        }
        node.kill(false);
        node.start();
        cluster.awaitWhole(Duration.ofSeconds(60));
        return true;
    }

    /** Mends all, and says whether the cluster is whole. */
    private boolean isQuiet() {
        armed.set(false);
        cluster.weather(Weather.FINE);
        cluster.nodes.forEach(Node::start);
        try {
            cluster.awaitWhole(Duration.ofSeconds(60));
            return true;
        } catch (org.awaitility.core.ConditionTimeoutException e) {
            return false;
        }
    }

    /** Ends all trouble. */
    void relent() {
        armed.set(false);
        cluster.weather(Weather.FINE);
        cluster.nodes.forEach(Node::start);
    }
}
