package registry.server.once;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What was answered to one client.
 *
 * @param oldest no write below it is waited for
 * @param time of its last command
 * @param done answers from {@code oldest} on, which are few: no more than a client may wait for at
 *     the same time
 */
record Client(String id, long oldest, long time, List<Done> done) {
    /** One command that was applied, and its result. */
    record Done(long number, int part, Result result) {}

    /**
     * A result that can be told again; of another kind only that there was one.
     *
     * @param truth null unless it is a Boolean; so with the others
     */
    record Result(@Nullable Boolean truth, @Nullable String text, @Nullable Long count) {
        static Result of(Object result) {
            return new Result(
                    result instanceof Boolean truth ? truth : null,
                    result instanceof String text ? text : null,
                    result instanceof Long count ? count : null);
        }

        @Nullable Object value() {
            return truth != null ? truth : text != null ? text : count;
        }
    }
}
