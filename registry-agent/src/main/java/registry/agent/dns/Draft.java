package registry.agent.dns;

import java.util.ArrayList;
import java.util.List;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Record;

/** An answer that may still have to be cut: each answer record with those that belong to it. */
final class Draft {
    /**
     * @param extras of the additional section
     */
    record Group(Record answer, List<Record> extras) {}

    final List<Group> groups = new ArrayList<>();
    final List<Record> authority = new ArrayList<>();

    /** Of the additional section, whatever is answered. */
    final List<Record> additional = new ArrayList<>();

    int rcode;
    boolean authoritative = true;
    boolean recursion;

    /** True when there are more answers than may be counted. */
    boolean more;

    /** True when there are more answers than could fit. */
    boolean overfull;

    void add(Record answer) {
        groups.add(new Group(answer, List.of()));
    }

    void add(Record answer, List<Record> extras) {
        groups.add(new Group(answer, extras));
    }

    /** The bits of the header that depend on the answer. */
    List<Integer> flags() {
        var flags = new ArrayList<Integer>();
        if (authoritative) {
            flags.add((int) Flags.AA);
        }
        if (recursion) {
            flags.add((int) Flags.RA);
        }
        return flags;
    }
}
