package registry.agent.cli;

import java.io.InputStream;
import java.io.PrintStream;
import java.util.Map;

/** What a command reads and writes: the process's own streams and environment, or a test's. */
record Terminal(InputStream in, PrintStream out, PrintStream err, Map<String, String> environment) {
    /** A variable, empty when it is not set. */
    String variable(String name) {
        return environment.getOrDefault(name, "");
    }

    /** A line on the standard output, ended as on every platform of Consul's. */
    void say(String line) {
        out.print(line + "\n");
        out.flush();
    }

    void complain(String line) {
        err.print(line + "\n");
        err.flush();
    }
}
