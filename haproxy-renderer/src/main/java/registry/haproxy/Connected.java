package registry.haproxy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Asks HAProxy at most once a pass who is still connected to the servers of one backend. */
final class Connected implements Predicate<Slot> {
    private final RuntimeApi.Session session;
    private @Nullable Set<String> connected;

    Connected(RuntimeApi.Session session) {
        this.session = session;
    }

    @Override
    public boolean test(Slot slot) {
        Set<String> known = connected;
        if (known == null) {
            known = ask(slot.backendId());
            connected = known;
        }
        return known.contains(slot.name());
    }

    /** Servers with a current session in {@code show stat}. */
    private Set<String> ask(int backendId) {
        try {
            String[] lines = session.send("show stat " + backendId + " 4 -1").split("\n");
            List<String> columns = Arrays.asList(lines[0].replaceFirst("^# ", "").split(",", -1));
            int name = columns.indexOf("svname");
            int current = columns.indexOf("scur");
            Set<String> busy = new HashSet<>();
            for (String line : Arrays.asList(lines).subList(1, lines.length)) {
                String[] fields = line.split(",", -1);
                if (fields.length > current && !fields[current].equals("0")) {
                    busy.add(fields[name]);
                }
            }
            return busy;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
