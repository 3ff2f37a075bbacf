package registry.it.cluster;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionTimeoutException;
import registry.it.Cluster;
import registry.it.Node;

/**
 * Makes trouble in a cluster of three servers and some clients, one kind after the other, ends it,
 * and waits until all is well again. Measures how long the others could not write, and what it
 * takes until all nodes know each other again.
 */
final class TroubleMaker {
    private static final Duration HEALED = Duration.ofSeconds(60);
    private static final Duration WRITABLE = Duration.ofSeconds(20);

    /** Where all were dead: with the start of all of them, on whatever machine this is. */
    private static final Duration WRITABLE_AGAIN = Duration.ofSeconds(60);

    private static final Duration TRY = Duration.ofMillis(100);
    private static final Duration PATIENCE = Duration.ofSeconds(5);
    private static final Duration SHORTEST = Duration.ofMillis(300);
    private static final long DAY_SECONDS = 86_400;
    private static final long LONGEST_DELAY_MILLIS = 300;

    private final Cluster cluster;
    private final Weather weather;
    private final Deaths deaths;
    private final Random random;
    private final Duration longest;
    private final Map<Trouble, List<Long>> deadAfter = new EnumMap<>(Trouble.class);
    private final Map<Trouble, List<Long>> writableAfter = new EnumMap<>(Trouble.class);
    private final Map<Trouble, List<Long>> healedAfter = new EnumMap<>(Trouble.class);
    private final List<String> violations = new ArrayList<>();
    private final AtomicLong tries = new AtomicLong();

    /**
     * @param longest how long a trouble may last
     */
    TroubleMaker(Cluster cluster, Weather weather, Deaths deaths, Random random, Duration longest) {
        this.deaths = deaths;
        this.longest = longest;
        this.cluster = cluster;
        this.weather = weather;
        this.random = random;
    }

    /** Makes one trouble and ends it. */
    void make(Trouble trouble) {
        List<Node> victims = victims(trouble);
        weather.trouble(trouble == Trouble.WRONG_CLOCKS ? List.of() : victims);
        System.out.printf("%tT.%<tL %s %s%n", System.currentTimeMillis(), trouble, victims);
        long began = System.nanoTime();
        begin(trouble, victims);
        if (trouble.othersGoOn()) {
            note(writableAfter, trouble, millis(timeToWrite(trouble)));
        }
        hold(trouble, victims, began);
        List<Node> dead = cluster.endedByThemselves();
        if (trouble != Trouble.FULL_DISK && !dead.isEmpty()) {
            violations.add(dead + " ended by themselves in " + trouble);
        }
        long ended = System.nanoTime();
        end(trouble, victims);
        if (!trouble.othersGoOn()) {
            timeToWrite(trouble);
            note(writableAfter, trouble, millis(System.nanoTime() - ended));
        }
        awaitWell(trouble, victims);
        note(healedAfter, trouble, millis(System.nanoTime() - ended));
        weather.calm();
    }

    private void hold(Trouble trouble, List<Node> victims, long began) {
        long end = began + SHORTEST.plusMillis(random.nextLong(longest.toMillis())).toNanos();
        List<String> names = victims.stream().map(Node::name).toList();
        boolean seen = !trouble.makesSilent();
        while (System.nanoTime() < end) {
            if (!seen && deaths.dead().containsAll(names)) {
                note(deadAfter, trouble, millis(System.nanoTime() - began));
                seen = true;
            }
            LockSupport.parkNanos(20_000_000);
        }
    }

    private List<Node> victims(Trouble trouble) {
        Node leader = cluster.awaitLeader();
        List<Node> followers = new ArrayList<>(cluster.servers());
        followers.remove(leader);
        Node follower = any(followers);
        return switch (trouble) {
            case KILL_LEADER, FREEZE_LEADER, CUT_OFF_LEADER -> List.of(leader);
            case KILL_FOLLOWER -> List.of(follower);
            case KILL_CLIENT -> List.of(any(cluster.clients()));
            case FREEZE_ANY, DEAF, MUTE, POWER_CUT_OF_ONE -> List.of(any(cluster.nodes()));
            case FULL_DISK, DELAY -> List.of(any(cluster.servers()));
            case CUT_OFF_FOLLOWER_AND_CLIENT -> List.of(follower, any(cluster.clients()));
            case ONE_WAY -> {
                List<Node> pair = new ArrayList<>(List.of(leader, follower));
                Collections.shuffle(pair, random);
                yield pair;
            }
            case LOSS -> List.of();
            case WRONG_CLOCKS ->
                    cluster.nodes().stream().filter(node -> random.nextBoolean()).toList();
            case KILL_ALL, POWER_CUT_OF_ALL -> cluster.nodes();
        };
    }

    private void begin(Trouble trouble, List<Node> victims) {
        switch (trouble) {
            case KILL_LEADER, KILL_FOLLOWER, KILL_CLIENT, KILL_ALL -> cluster.kill(victims);
            case FREEZE_LEADER, FREEZE_ANY -> victims.forEach(Node::pause);
            case CUT_OFF_LEADER, CUT_OFF_FOLLOWER_AND_CLIENT -> cluster.isolate(victims);
            case DEAF -> others(victims).forEach(other -> cluster.cut(other, victims.getFirst()));
            case MUTE -> others(victims).forEach(other -> cluster.cut(victims.getFirst(), other));
            case ONE_WAY -> cluster.cut(victims.getFirst(), victims.getLast());
            case LOSS -> cluster.loseEverywhere(20);
            case DELAY ->
                    cluster.delay(
                            victims.getFirst(),
                            Duration.ofMillis(random.nextLong(20, LONGEST_DELAY_MILLIS)));
            case FULL_DISK -> victims.forEach(Node::fillDisk);
            case WRONG_CLOCKS ->
                    victims.forEach(node ->
                            node.setClock(
                                    Duration.ofSeconds(
                                            random.nextLong(-DAY_SECONDS, DAY_SECONDS))));
            case POWER_CUT_OF_ONE, POWER_CUT_OF_ALL -> cluster.cutPower(victims);
        }
    }

    private void end(Trouble trouble, List<Node> victims) {
        switch (trouble) {
            case KILL_LEADER,
                    KILL_FOLLOWER,
                    KILL_CLIENT,
                    KILL_ALL,
                    POWER_CUT_OF_ONE,
                    POWER_CUT_OF_ALL ->
                    victims.forEach(Node::spawn);
            case FREEZE_LEADER, FREEZE_ANY -> victims.forEach(Node::resume);
            case CUT_OFF_LEADER, CUT_OFF_FOLLOWER_AND_CLIENT, DEAF, MUTE, ONE_WAY, LOSS, DELAY ->
                    cluster.heal();
            case WRONG_CLOCKS -> {
                // They stay wrong, for what comes next.
            }
            case FULL_DISK -> {
                victims.forEach(Node::freeDisk);
                victims.stream().filter(node -> !node.agent().isAlive()).forEach(Node::spawn);
            }
        }
    }

    private Collection<Node> others(List<Node> victims) {
        List<Node> others = new ArrayList<>(cluster.nodes());
        others.removeAll(victims);
        return others;
    }

    private Node any(List<Node> nodes) {
        return nodes.get(random.nextInt(nodes.size()));
    }

    /**
     * Until a write is acknowledged that began behind the trouble, through any node that is well;
     * one that hangs holds up no other.
     */
    private long timeToWrite(Trouble trouble) {
        long began = System.nanoTime();
        var written = new CountDownLatch(1);
        List<Node> well =
                cluster.nodes().stream()
                        .filter(node -> !trouble.othersGoOn() || !weather.isTroubled(node.name()))
                        .toList();
        Duration limit = trouble.othersGoOn() ? WRITABLE : WRITABLE_AGAIN;
        while (System.nanoTime() - began < limit.toNanos()) {
            Node node = any(well);
            String key = "/v1/kv/pulse/" + tries.incrementAndGet();
            Thread.ofVirtual()
                    .name("pulse")
                    .start(() -> {
                        try {
                            if (node.client().put(key, "x".getBytes(UTF_8), PATIENCE).isOk()) {
                                written.countDown();
                            }
                        } catch (IOException notYet) {
                            // The next one may.
                        } catch (InterruptedException e) {
                            Thread.currentThread().interrupt();
                        }
                    });
            try {
                if (written.await(TRY.toMillis(), TimeUnit.MILLISECONDS)) {
                    return System.nanoTime() - began;
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("interrupted", e);
            }
        }
        violations.add("no write for " + limit + " in " + trouble);
        return limit.toNanos();
    }

    /** Until every node is ready and counts all others alive, and so does the catalogue. */
    private void awaitWell(Trouble trouble, List<Node> victims) {
        BooleanSupplier well =
                () ->
                        cluster.allKnowAll()
                                && deaths.dead().isEmpty()
                                && cluster.nodes().stream()
                                        .allMatch(node -> node.agent().isReady());
        try {
            Awaitility.await()
                    .pollDelay(Duration.ZERO)
                    .pollInterval(Duration.ofMillis(50))
                    .atMost(HEALED)
                    .until(well::getAsBoolean);
        } catch (ConditionTimeoutException e) {
            throw new AssertionError(
                    "not well again %s after %s of %s".formatted(HEALED, trouble, victims)
                            + violations,
                    e);
        }
    }

    private static void note(Map<Trouble, List<Long>> figures, Trouble trouble, long millis) {
        figures.computeIfAbsent(trouble, first -> new ArrayList<>()).add(millis);
    }

    private static long millis(long nanos) {
        return TimeUnit.NANOSECONDS.toMillis(nanos);
    }

    /** What went wrong, in words. */
    List<String> violations() {
        return List.copyOf(violations);
    }

    /** A line for each kind of trouble: how often, and the median and the longest of its times. */
    String figures() {
        var lines = new StringBuilder();
        healedAfter.forEach((trouble, healed) ->
                lines.append(
                        "%-28s %3d times, ms (worst): writable after %s, called dead after %s, all well after %s%n"
                                .formatted(
                                        trouble,
                                        healed.size(),
                                        median(writableAfter.getOrDefault(trouble, List.of())),
                                        median(deadAfter.getOrDefault(trouble, List.of())),
                                        median(healed))));
        return lines.toString();
    }

    private static String median(List<Long> figures) {
        return figures.isEmpty()
                ? "-"
                : "%d (%d)"
                        .formatted(
                                figures.stream().sorted().toList().get(figures.size() / 2),
                                Collections.max(figures));
    }
}
