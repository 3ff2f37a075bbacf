package registry.haproxy;

import java.io.IOException;
import java.util.HashSet;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * HAProxy's master process, spoken to on its own socket. Source: haproxy 2.6 management guide, 9.4
 */
final class Master {
    private static final Pattern ROW =
            Pattern.compile("(\\d+)\\s+(master|worker)\\s+(\\d+)(?: \\[failed: (\\d+)\\])?.*");

    private final RuntimeApi socket;

    /**
     * What {@code show proc} tells.
     *
     * @param pid the master's
     * @param failed loads that failed since the last good one
     * @param workers pids of the present workers, without those that only finish what they had
     */
    record Processes(long pid, int failed, Set<Long> workers) {}

    Master(RuntimeApi socket) {
        this.socket = socket;
    }

    Processes look() throws IOException {
        String reply = socket.ask("show proc");
        long pid = 0;
        int failed = 0;
        Set<Long> workers = new HashSet<>();
        for (String line : reply.split("\n")) {
            if (line.startsWith("# old workers")) {
                break;
            }
            Matcher row = ROW.matcher(line);
            if (!row.matches()) {
                continue;
            }
            if (row.group(2).equals("master")) {
                pid = Long.parseLong(row.group(1));
                failed = row.group(4) == null ? 0 : Integer.parseInt(row.group(4));
            } else {
                workers.add(Long.parseLong(row.group(1)));
            }
        }
        if (pid == 0) {
            throw new IOException("show proc answers " + Printable.quoted(reply));
        }
        return new Processes(pid, failed, Set.copyOf(workers));
    }

    /**
     * Asks for a reload. HAProxy 2.6 hangs up in place of an answer, and a request may get lost
     * besides: only a look at the new worker tells (see {@link Reloader}).
     *
     * @throws IOException when the master cannot be reached; usual while it re-executes itself
     */
    void reload() throws IOException {
        socket.ask("reload");
    }
}
