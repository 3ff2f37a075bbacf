package registry.it;

import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Random;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The machine loses its power: only synced bytes survive, and with them everything that was
 * acknowledged.
 */
final class PowerLossIT {
    private static final int DISK_MEBIBYTES = 512;

    @Test
    void nothingAcknowledgedIsLostAndItAlwaysStarts() throws Exception {
        cutThePower(1, 1, 3);
    }

    @Tag("soak")
    @Test
    void nothingAcknowledgedIsLostInHundredsOfCuts() throws Exception {
        int cuts = Integer.getInteger("registry.soak.rounds", 500);
        int onNewDisks = cuts / 8;
        cutThePower(onNewDisks, onNewDisks, cuts - 2 * onNewDisks);
    }

    /** The method itself has teeth. */
    @Test
    void onlySyncedBytesSurviveACut() throws Exception {
        try (PowerCut disk = openDisk(16)) {
            Path synced = Files.writeString(disk.folder().resolve("synced"), "here");
            try (var file = FileChannel.open(synced, StandardOpenOption.WRITE)) {
                file.force(true);
            }
            Files.writeString(disk.folder().resolve("unsynced"), "gone");
            disk.cutWithoutProcesses(() -> {});
            assertThat(disk.folder().resolve("synced")).hasContent("here");
            assertThat(disk.folder().resolve("unsynced")).doesNotExist();
        }
    }

    /**
     * @param beforeReady cuts at a random moment of the first second after exec, each on a new disk
     * @param firstWrites cuts as soon as the first writes of a new node are acknowledged, each on a
     *     new disk
     * @param underLoad cuts of one node under load, one after the other
     */
    private static void cutThePower(int beforeReady, int firstWrites, int underLoad)
            throws Exception {
        long seed = System.nanoTime();
        var random = new Random(seed);
        int acknowledged = 0;
        for (int i = 0; i < beforeReady; i++) {
            int after = random.nextInt(1_000);
            acknowledged +=
                    onNewDisk(
                            1,
                            seed,
                            (agent, load) ->
                                    await().pollDelay(after, MILLISECONDS).until(() -> true));
        }
        for (int i = 0; i < firstWrites; i++) {
            acknowledged +=
                    onNewDisk(
                            1,
                            seed,
                            (agent, load) ->
                                    await().pollDelay(0, MILLISECONDS)
                                            .pollInterval(2, MILLISECONDS)
                                            .atMost(30, SECONDS)
                                            .until(() -> load.acknowledged() >= 5));
        }
        acknowledged +=
                onNewDisk(
                        underLoad,
                        seed,
                        (agent, load) -> load.awaitMore(200 + random.nextInt(400)));
        System.out.printf(
                "power loss: %d cuts, %d of them in a node's first second, %d acknowledged, 0 lost, seed %d%n",
                beforeReady + firstWrites + underLoad,
                beforeReady + firstWrites,
                acknowledged,
                seed);
    }

    /** Waits for the moment at which the power is to be cut. */
    private interface Moment {
        void await(LauncherProcess agent, RegistrationLoad load) throws Exception;
    }

    /**
     * A new node on a new disk, written to from its first moment, cut {@code cuts} times; gives the
     * acknowledged writes.
     */
    private static int onNewDisk(int cuts, long seed, Moment moment) throws Exception {
        try (PowerCut disk = openDisk(DISK_MEBIBYTES);
                LauncherProcess agent =
                        LauncherProcess.agent().dataDir(disk.folder().resolve("data")).prepare();
                var load = new RegistrationLoad(agent)) {
            agent.spawn();
            for (int cut = 1; cut <= cuts; cut++) {
                load.start();
                moment.await(agent, load);
                disk.cut(agent);
                load.stop();
                agent.restart();
                assertThat(load.missing())
                        .as(
                                "acknowledged and lost by cut %d, seed %d\n%s",
                                cut, seed, agent.logTail())
                        .isEmpty();
                assertThat(agent.log())
                        .as("what it keeps besides, after cut %d, seed %d", cut, seed)
                        .doesNotContain("not readable");
            }
            agent.kill();
            return load.acknowledged();
        }
    }

    private static PowerCut openDisk(int mebibytes) {
        try {
            return PowerCut.ofMebibytes(mebibytes);
        } catch (IOException e) {
            if (Sandbox.isRequired()) {
                throw new AssertionError("root on a build server must be able to mount a disk", e);
            }
            return Assumptions.abort("no power can be cut here: " + e.getMessage());
        }
    }
}
