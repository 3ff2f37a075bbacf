package registry.haproxy;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * What to do to one slot: commands in their order, each with the reply that means it was done. The
 * first other reply ends the change, so that a slot never goes ready with the address of another.
 *
 * @param what for the log
 */
record Change(String what, List<Command> commands) {
    private static final Pattern NOTHING = Pattern.compile("");
    private static final Pattern ADDED = Pattern.compile("New server registered\\.");
    private static final Pattern DELETED =
            Pattern.compile(
                    "Server deleted\\.|Server still has connections attached to it, cannot remove it\\.");

    record Command(String text, Pattern success) {}

    /** Takes a server out of service at once; what it is busy with goes on. */
    static Change out(String backend, Slot slot) {
        return new Change(
                "out " + backend + "/" + slot.name() + " " + slot.endpoint(),
                List.of(state(backend, slot.name(), "maint")));
    }

    /** Puts a member into a slot that is in maintenance. */
    static Change in(String backend, Slot slot, Member member) {
        List<Command> commands = new ArrayList<>();
        if (!slot.endpoint().equals(member.endpoint())) {
            commands.add(address(backend, slot.name(), member.endpoint()));
        }
        if (slot.weight() != member.weight()) {
            commands.add(weight(backend, slot.name(), member.weight()));
        }
        commands.add(state(backend, slot.name(), member.draining() ? "drain" : "ready"));
        return new Change(
                "in " + backend + "/" + slot.name() + " " + member.endpoint() + " " + member.name(),
                commands);
    }

    /**
     * Brings a slot that serves the member already to its weight and state; no commands if there is
     * nothing to do.
     */
    static Change adjust(String backend, Slot slot, Member member) {
        List<Command> commands = new ArrayList<>();
        if (slot.weight() != member.weight()) {
            commands.add(weight(backend, slot.name(), member.weight()));
        }
        if (slot.isDraining() != member.draining()) {
            commands.add(state(backend, slot.name(), member.draining() ? "drain" : "ready"));
        }
        return new Change(
                "set "
                        + backend
                        + "/"
                        + slot.name()
                        + " "
                        + member.endpoint()
                        + " weight="
                        + member.weight()
                        + (member.draining() ? " draining" : ""),
                commands);
    }

    /**
     * Brings a server into a backend without prepared slots. HAProxy takes nothing over from {@code
     * default-server} here, and does not serve one that was added with {@code enabled}: all options
     * are written out, and each step is one of its own.
     *
     * @param options with a blank before each
     */
    static Change add(
            String backend, int number, Member member, String options, boolean isChecked) {
        String name = ConfigRenderer.slotName(number);
        String server = backend + "/" + name;
        List<Command> commands = new ArrayList<>();
        commands.add(
                new Command(
                        "add server "
                                + server
                                + " "
                                + member.endpoint()
                                + " id "
                                + number
                                + " weight "
                                + member.weight()
                                + options,
                        ADDED));
        if (isChecked) {
            commands.add(new Command("enable health " + server, NOTHING));
        }
        commands.add(state(backend, name, member.draining() ? "drain" : "ready"));
        return new Change(
                "add " + server + " " + member.endpoint() + " " + member.name(), commands);
    }

    /** Removes a server in maintenance; one that is still connected to is left for later. */
    static Change delete(String backend, Slot slot) {
        String server = backend + "/" + slot.name();
        return new Change(
                "delete " + server, List.of(new Command("del server " + server, DELETED)));
    }

    /** Makes a slot that nobody is connected to any more free for another member. */
    static Change free(String backend, Slot slot) {
        return new Change(
                "free " + backend + "/" + slot.name(),
                List.of(address(backend, slot.name(), Endpoint.UNUSED)));
    }

    /** Ends the connections to an instance that is gone for longer than its drain time. */
    static Change shutdown(String backend, Slot slot) {
        return new Change(
                "shutdown " + backend + "/" + slot.name(),
                List.of(
                        new Command(
                                "shutdown sessions server " + backend + "/" + slot.name(),
                                NOTHING)));
    }

    private static Command address(String backend, String slot, Endpoint endpoint) {
        String text =
                "set server "
                        + backend
                        + "/"
                        + slot
                        + " addr "
                        + endpoint.addressText()
                        + " port "
                        + endpoint.port();
        return new Command(text, addressSet(endpoint.port()));
    }

    /**
     * HAProxy 2.6 takes any port modulo 65536 without a word: the one that it took has to be the
     * one that was meant.
     */
    private static Pattern addressSet(int port) {
        return Pattern.compile(
                "(IP changed from '[^']*' to '[^']*'|no need to change the addr)"
                        + (", (port changed from '[^']*' to '"
                                + port
                                + "'|no need to change the port)")
                        + " by 'stats socket command'");
    }

    private static Command weight(String backend, String slot, int weight) {
        return new Command("set server " + backend + "/" + slot + " weight " + weight, NOTHING);
    }

    private static Command state(String backend, String slot, String state) {
        return new Command("set server " + backend + "/" + slot + " state " + state, NOTHING);
    }
}
