package registry.server.raft;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A disk whose power can be cut: an ext4 file system in an image file, mounted through a loop
 * device. What a process wrote and did not sync is in the page cache of the mounted file system and
 * not in the image; what it synced is in the image, with the file system's journal. So a copy of
 * the image is the disk as a power cut at that moment would leave it. The file system itself is
 * never frozen or synced for it ({@code fsfreeze} would write everything out).
 *
 * <p>Needs root, {@code mkfs.ext4} and a free loop device.
 */
final class PowerCut implements AutoCloseable {
    private static final long BYTES = 512L << 20;

    /** Nothing is written out by the kernel's own timers within a test. */
    private static final String MOUNT_OPTIONS = "loop,noatime,commit=300";

    private static final int UNMOUNT_TRIES = 100;

    private final Path image;
    private final Path copy;
    private final Path disk;

    private PowerCut(Path dir) throws IOException {
        image = dir.resolve("disk.img");
        copy = dir.resolve("copy.img");
        disk = Files.createDirectories(dir.resolve("disk"));
    }

    /** Makes, formats and mounts the disk; {@code dir} must not be on it. */
    static PowerCut create(Path dir) throws IOException {
        PowerCut powerCut = new PowerCut(dir);
        run("truncate", "-s", String.valueOf(BYTES), powerCut.image.toString());
        run("mkfs.ext4", "-q", "-F", powerCut.image.toString());
        powerCut.mount();
        return powerCut;
    }

    /** The mounted disk; the same path before and after a cut. */
    Path disk() {
        return disk;
    }

    /**
     * Cuts the power: freezes the process and all that it started, takes the disk as it is, kills
     * them, and mounts what was taken. What the process had told the outside before may be read
     * from its output afterwards.
     */
    void cut(ProcessHandle victim) throws IOException {
        List<ProcessHandle> victims = new ArrayList<>(List.of(victim));
        victim.descendants().forEach(victims::add);
        for (ProcessHandle process : victims) {
            run("kill", "-STOP", String.valueOf(process.pid()));
        }
        run("cp", "--sparse=always", image.toString(), copy.toString());
        for (ProcessHandle process : victims) {
            process.destroyForcibly();
        }
        for (ProcessHandle process : victims) {
            process.onExit().orTimeout(10, TimeUnit.SECONDS).join();
        }
        unmount();
        run("mv", copy.toString(), image.toString());
        mount();
    }

    @Override
    public void close() throws IOException {
        unmount();
        Files.deleteIfExists(copy);
        Files.deleteIfExists(image);
    }

    private void mount() throws IOException {
        run("mount", "-o", MOUNT_OPTIONS, image.toString(), disk.toString());
    }

    /** The kernel may need a moment to let go of a killed process's files. */
    private void unmount() throws IOException {
        for (int i = 1; ; i++) {
            try {
                run("umount", disk.toString());
                return;
            } catch (IOException busy) {
                if (i == UNMOUNT_TRIES) {
                    throw busy;
                }
                pause();
            }
        }
    }

    private static void pause() {
        try {
            TimeUnit.MILLISECONDS.sleep(20);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static ProcessBuilder builder(String... command) {
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().put("PATH", "/usr/sbin:/sbin:/usr/bin:/bin");
        return builder;
    }

    private static void run(String... command) throws IOException {
        Process process = builder(command).start();
        try (var output = process.getInputStream()) {
            String said = new String(output.readAllBytes(), UTF_8).strip();
            if (process.waitFor() != 0) {
                throw new IOException(String.join(" ", command) + ": " + said);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }
}
