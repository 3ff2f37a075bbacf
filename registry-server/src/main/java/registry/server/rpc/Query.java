package registry.server.rpc;

import java.util.List;
import registry.server.state.State;

/**
 * A question made ready to be answered from any state, by the feature that understands it.
 *
 * <p>Two promises make blocking and caching right. {@link #index} never falls from one state to the next, and has grown
 * whenever the answer has changed: an equal index means an equal answer. Whatever changes the answer touches one of the
 * {@link #watches}; an index may move without.
 */
public interface Query {
    /** An answer's body; {@code found} is false for a key or prefix that is not there. */
    record Answer(boolean found, byte[] body) {
        public static Answer found(byte[] body) {
            return new Answer(true, body);
        }
    }

    /** Prefixes of the paths whose change may change the answer. */
    List<String> watches();

    /** The index of the answer; 0 when nothing was ever there. */
    long index(State state);

    Answer answer(State state);

    /** Whether the answer is dear enough to be kept for others who ask the same. */
    default boolean cached() {
        return true;
    }
}
