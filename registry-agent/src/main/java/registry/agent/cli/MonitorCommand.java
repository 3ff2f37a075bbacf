package registry.agent.cli;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;

/** {@code registry monitor}: the agent's log as it is written. Source: consul-api 12. */
final class MonitorCommand implements Command {
    @Override
    public String synopsis() {
        return "[options]";
    }

    @Override
    public String purpose() {
        return "Shows what the agent logs, from now on and until it is interrupted; also what is below the agent's own log_level.";
    }

    @Override
    public Flags flags() {
        return AgentConnection.addFlags(
                new Flags()
                        .text("log-level", "trace, debug, info, warn or err. Default is info.")
                        .onOff("log-json", "Shows each line as a JSON object."));
    }

    @Override
    public int run(Flags flags, Terminal terminal) throws Failure, InterruptedException {
        var query = new Query();
        String level = flags.get("log-level");
        query.add("loglevel", level.isEmpty() ? "INFO" : level);
        if (flags.isOn("log-json")) {
            query.add("logjson", "");
        }
        try (var agent = AgentConnection.open(flags, terminal)) {
            agent.follow(
                    "Error starting monitor",
                    "/v1/agent/monitor",
                    query,
                    new AtOnce(terminal.out()));
        }
        terminal.complain(
                "Remote side ended the monitor! This usually means that the remote side has exited or crashed.");
        return 0;
    }

    /** Shows what comes when it comes. */
    private static final class AtOnce extends FilterOutputStream {
        AtOnce(OutputStream out) {
            super(out);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            out.write(bytes, offset, length);
            out.flush();
        }
    }
}
