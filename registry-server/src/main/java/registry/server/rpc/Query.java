package registry.server.rpc;

import java.util.List;
import java.util.function.Function;
import java.util.function.ToLongFunction;
import registry.server.state.State;

/**
 * A question made ready to be answered from any state, by the feature that understands it.
 *
 * <p>Two promises make blocking and caching right. {@code index} never falls from one state to the
 * next, and has grown whenever the answer has changed: an equal index means an equal answer.
 * Whatever changes the answer touches one of the {@code watches}; an index may move without.
 *
 * @param watches prefixes of the paths whose change may change the answer
 * @param index of the answer; 0 when nothing was ever there
 * @param cached whether the answer is dear enough to be kept for others who ask the same
 */
public record Query(
        List<String> watches,
        ToLongFunction<State> index,
        Function<State, Answer> answer,
        boolean cached) {
    /** An answer's body; {@code found} is false for a key or prefix that is not there. */
    public record Answer(boolean found, byte[] body) {
        public static Answer found(byte[] body) {
            return new Answer(true, body);
        }

        public static Answer missing() {
            return new Answer(false, new byte[0]);
        }
    }

    /** A query whose answers are kept. */
    public static Query of(
            List<String> watches, ToLongFunction<State> index, Function<State, Answer> answer) {
        return new Query(watches, index, answer, true);
    }

    /** The same, but nobody else's answer: it changes in ways that no index tells. */
    public Query uncached() {
        return new Query(watches, index, answer, false);
    }

    long index(State state) {
        return index.applyAsLong(state);
    }

    Answer answer(State state) {
        return answer.apply(state);
    }
}
