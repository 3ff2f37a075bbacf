package registry.server.raft;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;

/**
 * The state machine behind {@link Consensus}. One thread calls {@link #apply}, {@link #load} and
 * {@link #snapshot}.
 */
public interface Applier {
    /**
     * A state kept for writing: immutable, so that commands go on while another thread writes it.
     */
    interface Snapshot {
        void writeTo(OutputStream out) throws IOException;
    }

    /**
     * Applies one committed command. Never throws for what a command says: a refusal is a result
     * (an {@link registry.api.ApiException} as a value), the same on all servers.
     */
    Object apply(long index, byte[] command);

    /** The present state, by reference. */
    Snapshot snapshot();

    /** Replaces the state by a snapshot whose checksum was verified. */
    void load(InputStream in) throws IOException;

    /**
     * This server leads from now on, in {@code term}; called before any command of that term is
     * applied.
     */
    void leading(long term);

    /** This server no longer leads. */
    void following();
}
