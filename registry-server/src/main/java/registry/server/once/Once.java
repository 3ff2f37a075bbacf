package registry.server.once;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import registry.server.state.Op;

/**
 * The write that the running thread works on, known without being handed through every endpoint:
 * what an endpoint proposes is marked with it. An endpoint that proposes several commands for one
 * write proposes them in the same order each time.
 */
public final class Once {
    private static final ScopedValue<Once> NOW = ScopedValue.newInstance();

    private final RequestId id;
    private int parts;

    private Once(RequestId id) {
        this.id = id;
    }

    /** Does the work of the write {@code id}. */
    public static <T> T as(@Nullable RequestId id, Supplier<T> work) {
        return id == null ? work.get() : ScopedValue.where(NOW, new Once(id)).call(work::get);
    }

    /** The write that is worked on; null outside of {@link #as}. */
    public static @Nullable RequestId id() {
        return NOW.isBound() ? NOW.get().id : null;
    }

    /** The command to propose in the place of {@code op}. */
    public static Op mark(Op op) {
        if (!NOW.isBound()) {
            return op;
        }
        Once now = NOW.get();
        return new OnceOp(now.id, now.parts++, op);
    }
}
