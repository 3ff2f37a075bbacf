package registry.it;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * A process that undoes what this JVM has made, last thing first, as soon as the JVM is gone,
 * however it ended: a test that is killed leaves no processes, disks or networks behind.
 */
final class Watchdog {
    /** Its standard input ends with this JVM. A session of its own: Ctrl-C is not for it. */
    private static final String SCRIPT =
            """
            trap '' INT TERM HUP
            PATH=/usr/sbin:/sbin:/usr/bin:/bin
            todo=$(tac)
            eval "$todo"
            """;

    private static @Nullable OutputStream list;

    private Watchdog() {}

    /**
     * Puts a line of shell on the list. It is run even when its matter is long settled, so it must
     * do nothing then.
     */
    static synchronized void undo(String line) {
        try {
            if (list == null) {
                list =
                        new ProcessBuilder("setsid", "sh", "-c", SCRIPT)
                                .redirectOutput(Redirect.DISCARD)
                                .redirectError(Redirect.DISCARD)
                                .start()
                                .getOutputStream();
            }
            list.write((line + "\n").getBytes(UTF_8));
            list.flush();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Has this process killed. */
    static void kill(Process process) {
        undo(
                "[ \"$(%s)\" = %s ] && kill -9 %d"
                        .formatted(
                                "sed 's/.*) //' /proc/%d/stat | cut -d' ' -f20"
                                        .formatted(process.pid()),
                                began(process.pid()),
                                process.pid()));
    }

    /** Has this folder, whose name no other will have, removed. */
    static void remove(Path folder) {
        undo("rm -rf --one-file-system '" + folder + "'");
    }

    /** When a process began, as the kernel counts it; nothing when it has ended already. */
    static String began(long pid) {
        try {
            String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
            return stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1)[19];
        } catch (IOException gone) {
            return "-";
        }
    }
}
