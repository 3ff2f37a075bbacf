package registry.agent.cli;

import java.io.IOException;
import java.nio.file.Path;

/** {@code registry snapshot restore}: puts what was saved in the place of the state. */
final class SnapshotRestoreCommand implements Command {
    @Override
    public String synopsis() {
        return "[options] FILE";
    }

    @Override
    public String purpose() {
        return "Puts a saved state in the place of the present one, on all servers at once.";
    }

    @Override
    public Flags flags() {
        return AgentConnection.addFlags(new Flags());
    }

    @Override
    public int run(Flags flags, Terminal terminal)
            throws Failure, IOException, InterruptedException {
        Path file = SnapshotInspectCommand.existing(SnapshotSaveCommand.file(flags));
        try (var agent = AgentConnection.open(flags, terminal)) {
            agent.upload("Error restoring snapshot", "/v1/snapshot", file);
        }
        terminal.say("Restored snapshot");
        return 0;
    }
}
