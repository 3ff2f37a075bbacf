package registry.it.cluster;

import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import registry.api.client.RegistryClient;

/** Callers that go on while things break, and a judgement when they are done. */
abstract class Workload implements AutoCloseable {
    private final List<Runnable> callers = new ArrayList<>();
    private final List<Thread> threads = new ArrayList<>();
    private final Duration lastCall;
    private volatile boolean running;

    /**
     * @param lastCall how long a call may still take when the workload is stopped
     */
    Workload(Duration lastCall) {
        this.lastCall = lastCall;
    }

    /** What one caller does again and again; a failure of the network is its own to handle. */
    interface Call {
        void on(RegistryClient client) throws InterruptedException;
    }

    /** Adds a caller of this agent. */
    final void caller(URI agent, Call call) {
        callers.add(() -> {
            try (var client = new RegistryClient(agent, null)) {
                while (running) {
                    call.on(client);
                }
            } catch (InterruptedException stopped) {
                // Not asked any more.
            }
        });
    }

    /** Starts all callers: on virtual threads, whose calls can be interrupted. */
    final void start() {
        running = true;
        callers.forEach(caller -> threads.add(Thread.ofVirtual().name("caller").start(caller)));
    }

    final boolean isRunning() {
        return running;
    }

    /** Ends all callers; only what is held on and on is interrupted. */
    final void stop() throws InterruptedException {
        running = false;
        for (Thread thread : threads) {
            if (!thread.join(lastCall)) {
                thread.interrupt();
                thread.join();
            }
        }
        threads.clear();
    }

    /** What went wrong, in words; to be asked when all is stopped, healed and ready again. */
    abstract List<String> violations() throws Exception;

    @Override
    public final void close() throws InterruptedException {
        stop();
    }
}
