package registry.haproxy;

import java.io.IOException;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * A server of a backend as the running HAProxy reports it.
 *
 * @param backendId the number of the backend: its name may be that of a frontend too
 * @param admin the mask of administrative states
 * @param operational 0 is down
 * @param sinceChange seconds in the present state
 * @param checkStatus what the last check met; stays what it was in maintenance
 */
record Slot(
        int backendId,
        String name,
        Endpoint endpoint,
        int admin,
        int operational,
        int weight,
        long sinceChange,
        int checkStatus) {
    // Bits of srv_admin_state. CMAINT (4) stays for ever on a server that was configured
    // "disabled": it says nothing.
    private static final int FORCED_MAINTENANCE = 0x01;
    private static final int RESOLUTION_MAINTENANCE = 0x20;
    private static final int DRAIN = 0x08 | 0x10;
    // L4TOUT, L6TOUT and L7TOUT of enum healthcheck_status.
    private static final Set<Integer> TIMEOUTS = Set.of(7, 10, 12);
    private static final Pattern OURS = Pattern.compile("srv[1-9][0-9]{0,4}");

    /** One whose last check is of no interest. */
    Slot(
            int backendId,
            String name,
            Endpoint endpoint,
            int admin,
            int operational,
            int weight,
            long sinceChange) {
        this(backendId, name, endpoint, admin, operational, weight, sinceChange, 0);
    }

    /** Whether it is down, and because nobody answered. */
    boolean isSilent() {
        return !isUp() && !isUnused() && TIMEOUTS.contains(checkStatus);
    }

    boolean isInService() {
        return (admin & (FORCED_MAINTENANCE | RESOLUTION_MAINTENANCE)) == 0;
    }

    boolean isDraining() {
        return (admin & DRAIN) != 0;
    }

    boolean isUnused() {
        return endpoint.equals(Endpoint.UNUSED);
    }

    /** Counted from 1. */
    int number() {
        return Integer.parseInt(name.substring("srv".length()));
    }

    /** Itself as a member, where HAProxy is all that is known. */
    Member asMember() {
        return new Member(endpoint, weight, isDraining(), "");
    }

    boolean isUp() {
        return operational != 0;
    }

    /**
     * The slots of each backend in {@code show servers state}, in its order; servers not named by
     * us are left out. Shape: a line with the version, a line {@code # column …}, a line of as many
     * fields per server.
     *
     * @throws IOException when that is not what it is
     */
    static Map<String, List<Slot>> parse(String reply) throws IOException {
        Map<String, List<Slot>> backends = new LinkedHashMap<>();
        Map<String, Integer> columns = new HashMap<>();
        for (String line : reply.split("\n")) {
            if (line.startsWith("# ")) {
                List<String> names = Arrays.asList(line.substring(2).split(" "));
                names.forEach(name -> columns.put(name, names.indexOf(name)));
            } else if (!columns.isEmpty() && !line.isBlank()) {
                String[] fields = line.split(" ");
                String name = fields[column(columns, "srv_name", fields)];
                if (OURS.matcher(name).matches()) {
                    backends.computeIfAbsent(
                                    fields[column(columns, "be_name", fields)],
                                    b -> new ArrayList<>())
                            .add(slot(name, columns, fields));
                }
            }
        }
        if (columns.isEmpty()) {
            throw new IOException("show servers state answers " + Printable.quoted(reply));
        }
        return backends;
    }

    private static Slot slot(String name, Map<String, Integer> columns, String[] fields)
            throws IOException {
        try {
            String text = fields[column(columns, "srv_addr", fields)];
            // A server without an address ("-") is none of ours to serve; any text that is no
            // address counts as unused.
            InetAddress address = Endpoint.parseAddress(text).orElse(Endpoint.UNUSED.address());
            return new Slot(
                    Integer.parseInt(fields[column(columns, "be_id", fields)]),
                    name,
                    new Endpoint(
                            address, Integer.parseInt(fields[column(columns, "srv_port", fields)])),
                    Integer.parseInt(fields[column(columns, "srv_admin_state", fields)]),
                    Integer.parseInt(fields[column(columns, "srv_op_state", fields)]),
                    Integer.parseInt(fields[column(columns, "srv_uweight", fields)]),
                    Long.parseLong(fields[column(columns, "srv_time_since_last_change", fields)]),
                    columns.containsKey("srv_check_status")
                            ? Integer.parseInt(fields[column(columns, "srv_check_status", fields)])
                            : 0);
        } catch (NumberFormatException e) {
            throw new IOException("show servers state: " + e.getMessage());
        }
    }

    private static int column(Map<String, Integer> columns, String name, String[] fields)
            throws IOException {
        Integer at = columns.get(name);
        if (at == null || at >= fields.length) {
            throw new IOException("show servers state lacks " + name);
        }
        return at;
    }
}
