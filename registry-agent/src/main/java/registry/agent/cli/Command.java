package registry.agent.cli;

import java.io.IOException;

/** One verb of the command line. A new instance serves one call. */
interface Command {
    /** What the usage shows behind the command's name. */
    String synopsis();

    /** A sentence or two on what it does. */
    String purpose();

    /** Its options. */
    Flags flags();

    /**
     * Does it.
     *
     * @param flags parsed
     * @return the process's exit code
     */
    int run(Flags flags, Terminal terminal) throws Failure, IOException, InterruptedException;
}
