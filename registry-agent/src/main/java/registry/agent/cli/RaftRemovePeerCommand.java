package registry.agent.cli;

/** {@code registry operator raft remove-peer}: takes a dead server's vote away. */
final class RaftRemovePeerCommand implements Command {
    private static final String TROUBLE = "Error removing peer";

    @Override
    public String synopsis() {
        return "[options]";
    }

    @Override
    public String purpose() {
        return "Takes the vote of a server away that is dead for good. One that lives leaves by \"leave\".";
    }

    @Override
    public Flags flags() {
        return AgentConnection.addFlags(
                new Flags()
                        .text("address", "The server's address, as IP:port.")
                        .text("id", "The server's node ID."));
    }

    @Override
    public int run(Flags flags, Terminal terminal) throws Failure, InterruptedException {
        String address = flags.get("address");
        String id = flags.get("id");
        if (address.isEmpty() && id.isEmpty()) {
            throw new Failure(TROUBLE + ": an address or id is required for the peer to remove");
        }
        if (!address.isEmpty() && !id.isEmpty()) {
            throw new Failure(TROUBLE + ": cannot give both an address and id");
        }
        String which = id.isEmpty() ? "address" : "id";
        String value = id.isEmpty() ? address : id;
        try (var agent = AgentConnection.open(flags, terminal)) {
            agent.delete(TROUBLE, "/v1/operator/raft/peer", new Query().add(which, value));
        }
        terminal.say("Removed peer with %s \"%s\"".formatted(which, value));
        return 0;
    }
}
