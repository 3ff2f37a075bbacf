package registry.haproxy;

import java.io.IOException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The worker by its own socket, or through the master where that is not there: its file was
 * removed, which no reload brings back, or the configuration that runs is not ours yet. Owned by
 * the engine's thread.
 */
final class WorkerApi implements RuntimeApi {
    private static final Logger LOG = LoggerFactory.getLogger(WorkerApi.class);
    // The present worker, in the master's words.
    private static final String WORKER = "@1 ";

    private final RuntimeApi worker;
    private final RuntimeApi master;
    private boolean roundabout;

    WorkerApi(RuntimeApi worker, RuntimeApi master) {
        this.worker = worker;
        this.master = master;
    }

    @Override
    public Session connect() throws IOException {
        try {
            Session session = worker.connect();
            roundabout = false;
            return session;
        } catch (IOException e) {
            try {
                if (!master.ask(WORKER + "show info").contains("Pid: ")) {
                    throw e;
                }
            } catch (IOException noMaster) {
                throw e;
            }
            if (!roundabout) {
                LOG.warn(
                        "HAProxy's own socket does not answer, its master's is used: {}",
                        e.getMessage());
                roundabout = true;
            }
            return new ThroughMaster(master);
        }
    }

    @Override
    public String ask(String command) throws IOException {
        try (Session session = connect()) {
            return session.send(command);
        }
    }

    private record ThroughMaster(RuntimeApi master) implements Session {
        @Override
        public String send(String command) throws IOException {
            return master.ask(WORKER + command);
        }

        @Override
        public void close() {}
    }
}
