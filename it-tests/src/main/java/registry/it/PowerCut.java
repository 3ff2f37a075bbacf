package registry.it;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A small disk whose power can be cut: an ext4 file system in a file. What a process has written
 * but not synced is only in the kernel's memory, so a copy of that file, taken while the process
 * stands still, is what a machine finds after its power came back. Killing a process proves nothing
 * about this. Needs root and loop devices.
 */
public final class PowerCut implements AutoCloseable {
    /**
     * Nothing is flushed by the kernel's own timers within a test: only what is synced gets to the
     * disk.
     */
    private static final String MOUNT_OPTIONS = "loop,noatime,commit=300";

    private static final String UNMOUNT =
            """
            for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
                umount "$1" 2>/dev/null && exit
                sleep 0.1
            done
            umount "$1"
            """;

    private final Path base;
    private final Path image;
    private final Path left;
    private final Path mountPoint;

    private PowerCut(Path base) {
        this.base = base;
        image = base.resolve("disk.img");
        left = base.resolve("left.img");
        mountPoint = base.resolve("disk");
    }

    /**
     * Makes and mounts an empty disk.
     *
     * @throws IOException with the reason when this machine does not allow it
     */
    public static PowerCut ofMebibytes(int size) throws IOException {
        var disk = new PowerCut(Files.createTempDirectory("registry-power"));
        Watchdog.remove(disk.base);
        Watchdog.undo("umount -l '" + disk.mountPoint + "'");
        try {
            Files.createDirectory(disk.mountPoint);
            disk.run("truncate", "-s", size + "M", disk.image.toString());
            disk.run("mkfs.ext4", "-q", "-F", disk.image.toString());
            disk.mount();
            return disk;
        } catch (IOException e) {
            disk.close();
            throw e;
        }
    }

    /** Where files on this disk go. */
    public Path folder() {
        return mountPoint;
    }

    /**
     * Stops these processes at once, takes the disk as it is, ends them, and gives {@link #folder}
     * back as the disk was then.
     */
    public void cut(LauncherProcess... agents) throws IOException {
        for (LauncherProcess agent : agents) {
            agent.signal("STOP");
        }
        cutWithoutProcesses(() -> List.of(agents).forEach(LauncherProcess::kill));
    }

    /** The cut itself; {@code end} ends whatever has files open on the disk. */
    void cutWithoutProcesses(Runnable end) throws IOException {
        take();
        end.run();
        putBack();
    }

    /** Takes the disk as it is now. */
    void take() throws IOException {
        run("cp", "--sparse=always", image.toString(), left.toString());
    }

    /** Makes the disk what was taken; nothing may have files open on it. */
    void putBack() throws IOException {
        unmount();
        run("mv", left.toString(), image.toString());
        mount();
    }

    private void mount() throws IOException {
        run("mount", "-o", MOUNT_OPTIONS, image.toString(), mountPoint.toString());
    }

    /** A process that was killed a moment ago may hold its files a moment longer. */
    private void unmount() throws IOException {
        run("sh", "-c", UNMOUNT, "unmount", mountPoint.toString());
    }

    private void run(String... words) throws IOException {
        var command = new ArrayList<>(List.of("env", "PATH=/usr/sbin:/sbin:/usr/bin:/bin"));
        command.addAll(List.of(words));
        Launcher.Result result = Launcher.run(command, Map.of(), "");
        if (result.exit() != 0) {
            throw new IOException(String.join(" ", words) + ": " + result.all().strip());
        }
    }

    @Override
    public void close() throws IOException {
        if (Launcher.run(List.of("mountpoint", "-q", mountPoint.toString()), Map.of(), "").exit()
                == 0) {
            unmount();
        }
        run("rm", "-rf", "--one-file-system", base.toString());
    }
}
