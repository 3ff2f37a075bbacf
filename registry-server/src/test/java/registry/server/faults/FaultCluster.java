package registry.server.faults;

import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import registry.server.ServerConfig;
import registry.server.faults.FaultyNetwork.Weather;
import registry.server.leader.Members.State;

/** The servers of one cluster, which die and live again. */
final class FaultCluster implements AutoCloseable {
    private static final int RAFT_MULTIPLIER = 1;

    /** Settings of a cluster. */
    record Shape(int servers, long snapshotBytes, Planted planted) {}

    final Promises promises = new Promises();
    final AppliedWrites applied = new AppliedWrites();
    final FaultyNetwork network = new FaultyNetwork(promises);
    final FakeGossip gossip = new FakeGossip();
    final List<Node> nodes = new ArrayList<>();
    private final AtomicInteger installed = new AtomicInteger();
    private final Shape shape;
    private final Path base;

    FaultCluster(Path base, Shape shape) {
        this.base = base;
        this.shape = shape;
        for (int i = 1; i <= shape.servers(); i++) {
            nodes.add(new Node("n" + i));
        }
    }

    /** Starts all for the first time. Returns when one leads and all vote. */
    FaultCluster start() {
        nodes.forEach(Node::start);
        awaitWhole(Duration.ofSeconds(30));
        return this;
    }

    /** One server by its name, through its lives. */
    final class Node {
        final String name;
        private int lives;
        private Path dir;
        private volatile @Nullable Life life;
        private CompletableFuture<Void> buried = CompletableFuture.completedFuture(null);

        Node(String name) {
            this.name = name;
            this.dir = base.resolve(name + "-0");
        }

        /** Its present life; null while it is dead. */
        @Nullable Life life() {
            return life;
        }

        synchronized void start() {
            if (life != null) {
                return;
            }
            // The engine knows its nodes by raft id, one at a time.
            buried.join();
            try {
                if (Files.exists(dir)) {
                    Life.readBallot(dir, (term, vote) -> promises.reborn(name, term, vote));
                }
                gossip.state(name, State.ALIVE);
                life =
                        new Life(
                                dir,
                                config(),
                                gossip.seenBy(
                                        name, (from, to) -> network.address(from, to).getPort()),
                                shape.planted(),
                                applied,
                                port -> network.up(name, port));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        private ServerConfig config() {
            return new ServerConfig(
                    dir,
                    "dc1",
                    name,
                    "id-" + name,
                    "127.0.0.1",
                    8300,
                    shape.servers(),
                    RAFT_MULTIPLIER,
                    shape.snapshotBytes(),
                    Duration.ofMinutes(15));
        }

        /** Dies at this moment; on its disk is what a crash or a power cut leaves. */
        synchronized void kill(boolean powerCut) {
            Life dying = life;
            if (dying == null) {
                return;
            }
            // In this order: what is said or answered from here on may be forgotten by the disk.
            dying.die();
            installed.addAndGet(dying.installed());
            network.down(name);
            life = null;
            Path left = base.resolve(name + "-" + ++lives);
            try {
                dying.store.leaveBehind(left, powerCut);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            dir = left;
            gossip.state(name, State.FAILED);
            buried =
                    CompletableFuture.runAsync(
                            () -> {
                                dying.close();
                                delete(dying.dir);
                            },
                            task -> Thread.ofPlatform().name("burial " + name).start(task));
        }

        /** Loses its disk; to be started as somebody new. */
        synchronized void wipe() {
            kill(false);
            delete(dir);
            promises.wiped(name);
        }

        @Override
        public String toString() {
            return name;
        }
    }

    private static void delete(Path dir) {
        try (var files = Files.walk(dir)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The present lives. */
    List<Life> alive() {
        List<Life> alive = new ArrayList<>();
        for (Node node : nodes) {
            Life life = node.life();
            if (life != null) {
                alive.add(life);
            }
        }
        return alive;
    }

    /** How often a server took over a snapshot of another. */
    int installed() {
        return installed.get() + alive().stream().mapToInt(Life::installed).sum();
    }

    @Nullable Node leader() {
        for (Node node : nodes) {
            Life life = node.life();
            if (life != null && life.isReadyLeader()) {
                return node;
            }
        }
        return null;
    }

    void weather(Weather weather) {
        for (Node from : nodes) {
            for (Node to : nodes) {
                network.weather(from.name, to.name, weather);
            }
        }
    }

    /** True when all live, all vote, nobody else does, and one leads. */
    boolean isWhole() {
        Node leader = leader();
        Life leads = leader == null ? null : leader.life();
        return leads != null
                && leads.consensus.peers().size() == nodes.size()
                && alive().size() == nodes.size()
                && alive().stream().allMatch(Life::votes);
    }

    void awaitWhole(Duration limit) {
        await().pollInterval(Duration.ofMillis(20)).atMost(limit).until(this::isWhole);
    }

    @Override
    public void close() {
        for (Node node : nodes) {
            Life life = node.life();
            if (life != null) {
                life.close();
            }
            node.buried.join();
        }
        network.close();
    }
}
