package registry.agent.gossip;

import java.io.IOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.Socket;

/** What a connect to a member's port tells. */
enum Knock {
    /** Somebody listens; a process that is stopped does, too. */
    OPENED,
    /** Nobody does: the proof that the process is gone. */
    REFUSED,
    /** The host is away, or what is between. */
    SILENT;

    private static final int MILLIS = 500;

    /** Takes half a second at most. */
    static Knock at(InetSocketAddress address) {
        try (var knocking = new Socket()) {
            knocking.connect(address, MILLIS);
            return OPENED;
        } catch (ConnectException e) {
            return String.valueOf(e.getMessage()).contains("refused") ? REFUSED : SILENT;
        } catch (IOException e) {
            return SILENT;
        }
    }
}
