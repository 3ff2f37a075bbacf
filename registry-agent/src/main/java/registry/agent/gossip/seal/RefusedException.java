package registry.agent.gossip.seal;

import java.io.IOException;

/** A member answered, and does not let this node in. */
public final class RefusedException extends IOException {
    private static final long serialVersionUID = 1L;

    RefusedException(String why) {
        super(why);
    }
}
